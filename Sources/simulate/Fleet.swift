import ArgumentParser
import Foundation
import MoaiFlowTesting
import Synchronization

/// Shares seeds among processes, and shrinks what fails in processes too: a run may trap or never end.
struct Fleet {
  /// Seeds that one process runs. Raising it saves starts; lowering it spreads the work more evenly.
  private static let share: UInt64 = 250

  let seeds: Range<UInt64>
  let jobs: Int
  let failures: Int
  let isShrinking: Bool

  private struct Progress {
    var next: UInt64
    var done = 0
    var digest: UInt64 = 0
    var statistics = RunStatistics()
    var failed: [UInt64] = []
  }

  func run() throws {
    let progress = Mutex(Progress(next: seeds.lowerBound))
    let started = ContinuousClock.now
    withExtendedLifetime(progress) {}
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      while let share = takeShare(from: progress) { run(share, progress) }
    }
    let result = progress.withLock { $0 }
    let seconds = Double((ContinuousClock.now - started).components.seconds) + 0.5
    print(
      "\(result.done) seeds in about \(Int(seconds)) s with \(jobs) processes, \(result.failed.count) with violations; "
        + "digest of all runs \(String(result.digest, radix: 16))")
    print("  \(result.statistics)")
    for seed in result.failed.sorted().prefix(failures) { explain(seed) }
    if !result.failed.isEmpty { throw ExitCode(1) }
  }

  private func takeShare(from progress: borrowing Mutex<Progress>) -> Range<UInt64>? {
    progress.withLock { progress in
      guard progress.next < seeds.upperBound, progress.failed.count < failures else { return nil }
      let end = min(progress.next + Fleet.share, seeds.upperBound)
      defer { progress.next = end }
      return progress.next..<end
    }
  }

  /// Runs a share to its end, over the deaths of its processes.
  private func run(_ share: Range<UInt64>, _ progress: borrowing Mutex<Progress>) {
    var rest = share
    while !rest.isEmpty {
      let arguments = ["--worker", "--from", "\(rest.lowerBound)", "--seeds", "\(rest.count)"]
      let (output, status) = Subprocess.run(arguments, seconds: 20 + rest.count)
      for line in output.split(separator: "\n") {
        let words = line.split(separator: " ")
        if words.first == "statistics" {
          let numbers = words.dropFirst().compactMap { Int($0) }
          progress.withLock { $0.statistics += RunStatistics(numbers: numbers) }
        } else if words.count == 3, let seed = UInt64(words[0]), let digest = UInt64(words[1]) {
          rest = (seed + 1)..<share.upperBound
          progress.withLock { progress in
            progress.done += 1
            progress.digest &+= SplitMix64.mix(seed, digest)
            if words[2] != "0" { progress.failed.append(seed) }
          }
        }
      }
      guard status != 0, !rest.isEmpty else { return }
      // The process died, or was stopped, in the middle of this seed.
      let died = rest.lowerBound
      progress.withLock { $0.failed.append(died) }
      rest = (died + 1)..<share.upperBound
    }
  }

  // MARK: Failures

  /// Prints the failure, the steps that it needs, and how to see it again.
  private func explain(_ seed: UInt64) {
    let whole = SimulationPlan(seed: seed)
    var plan = whole
    if isShrinking {
      let numbers = Shrinking.shrink(whole.steps.map(\.number)) { numbers in
        Subprocess.run(replay(whole.keeping(Set(numbers))), seconds: 20).status != 0
      }
      plan = whole.keeping(Set(numbers))
    }
    let (output, status) = Subprocess.run(replay(plan), seconds: 20)
    print("\nseed \(seed) fails\(status == 1 ? "" : ", its process dies (\(status))"):")
    for line in output.split(separator: "\n").dropFirst(status == 1 ? 1 : 0).prefix(4) {
      print("  \(line.prefix(500))")
    }
    print("  \(plan.steps.count) of its \(whole.total) steps:")
    for step in plan.steps { print("    \(step)") }
    print("  again: \(plan.commandLine)")
  }

  private func replay(_ plan: SimulationPlan) -> [String] {
    let steps = plan.steps.map { "\($0.number)" }.joined(separator: ",")
    return ["--seed", "\(plan.seed)", "--steps", steps]
  }
}

/// This program again, as a process of its own.
enum Subprocess {
  /// What it printed, and its status: 0, an exit code, or the signal that ended it. After `seconds` it is stopped.
  static func run(_ arguments: [String], seconds: Int) -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(filePath: CommandLine.arguments[0])
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    do { try process.run() } catch { return ("\(error)", -1) }
    let stop = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: stop)
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    stop.cancel()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }
}
