import ArgumentParser
import Foundation

/// `moai-flow crash`: the crash test, round after round, each in a new folder.
struct Crash: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Kill a writing process again and again, and look for acknowledged writes that are gone.",
    discussion: """
      Example:
        moai-flow crash --rounds 20
      """, shouldDisplay: false)

  @Option(help: "Rounds.")
  var rounds = 20

  @Option(help: "Writers at once, each on every type.")
  var writers = 16

  @Option(help: "Operations of each writer on each type.")
  var operations = 1_000

  @Option(help: "The seed of the moments at which the child is killed.")
  var seed: UInt64 = 1

  func run() async throws {
    var random = BenchRandom(seed: seed)
    var killed = 0
    var lost = 0
    for round in 1...rounds {
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("moai-flow-crash-\(UInt32.random(in: .min ... .max))").path
      let killAfter = Double(random.below(2_000)) / 1_000
      let report = try await KillRound(
        folder: folder, writers: writers, operations: operations, killAfter: killAfter
      ).run()
      killed += report.wasKilled ? 1 : 0
      lost += report.missing.count
      let fate = report.wasKilled ? "killed after \(killAfter) s" : "finished"
      print("round \(round): \(fate), \(report.acknowledged) acknowledged, \(report.missing.count) rows short")
      for missing in report.missing { print("  \(missing)") }
      if report.missing.isEmpty {
        try? FileManager.default.removeItem(atPath: folder)
      } else {
        print("  kept \(folder)")
      }
    }
    print("\(rounds) rounds, \(killed) killed while writing, \(lost) rows with lost writes")
    if lost > 0 { throw ExitCode.failure }
  }
}
