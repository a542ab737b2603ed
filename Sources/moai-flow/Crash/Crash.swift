import ArgumentParser
import Foundation

/// `moai-flow crash`: the crash test, round after round.
struct Crash: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Kill a writing process again and again, and look for acknowledged writes that are gone.",
    discussion: """
      Ten rounds at a time go on in one folder, so that opening and replaying are killed too.

      Example:
        moai-flow crash --rounds 100
      """, shouldDisplay: false)

  @Option(help: "Rounds.")
  var rounds = 20

  @Option(help: "Writers at once, each in every way.")
  var writers = 16

  @Option(help: "Writes of each writer in each way.")
  var operations = 1_000

  @Option(help: "Milliseconds of writing before the kill, at most.")
  var longest = 2_000

  @Option(help: "The seed of the moments at which the child is killed.")
  var seed: UInt64 = 1

  /// Rounds that one folder sees.
  private static let life = 10

  func run() async throws {
    var random = BenchRandom(seed: seed)
    var total = Total()
    var folder = ""
    var found: [KillRow: Int] = [:]
    for round in 1...rounds {
      if (round - 1) % Crash.life == 0 {
        folder =
          FileManager.default.temporaryDirectory
          .appendingPathComponent("moai-flow-crash-\(UInt32.random(in: .min ... .max))").path
        found = [:]
      }
      let moment: KillRound.Moment =
        random.below(4) == 0
        ? .afterStart(Double(random.below(150)) / 1_000) : .afterFirstWrite(Double(random.below(longest)) / 1_000)
      let report = try await KillRound(
        folder: folder, writers: writers, operations: operations, moment: moment,
        checkpointEntries: 20 + random.below(500), before: found
      ).run()
      found = report.found
      total.add(report)
      print(
        "round \(round): \(moment), \(report.fate), \(report.acknowledged) acknowledged, \(report.faults.count) faults")
      for fault in report.faults { print("  \(fault)") }
      guard report.faults.isEmpty else {
        print("kept \(folder)")
        throw ExitCode.failure
      }
      if round % Crash.life == 0 || round == rounds { try? FileManager.default.removeItem(atPath: folder) }
    }
    print("\(rounds) rounds, \(total.killed) killed while writing, \(total.acknowledged) writes acknowledged, 0 faults")
  }

  private struct Total {
    var killed = 0
    var acknowledged = 0

    mutating func add(_ report: KillRound.Report) {
      killed += report.wasKilled ? 1 : 0
      acknowledged += report.acknowledged
    }
  }
}

extension KillRound.Report {
  fileprivate var fate: String { wasKilled ? "killed" : "finished" }
}

extension KillRound.Moment: CustomStringConvertible {
  var description: String {
    switch self {
    case .afterStart(let seconds): "\(seconds) s after the start"
    case .afterFirstWrite(let seconds): "\(seconds) s after the first write"
    }
  }
}
