import ArgumentParser
import MoaiFlowTesting

/// Runs seeds one after the other and prints a line for each, as soon as it is known: who reads them also learns at
/// which seed a process died.
struct Worker {
  let seeds: Range<UInt64>

  func run() throws {
    try SeededExecutor.install()
    var statistics = RunStatistics()
    for seed in seeds {
      let report = SimulationRun.report(on: SimulationPlan(seed: seed))
      statistics += report.statistics
      print("\(seed) \(report.digest) \(report.violations.count)")
    }
    print("statistics", statistics.numbers.map { "\($0)" }.joined(separator: " "))
  }
}

/// Runs one plan and says what came of it.
struct Replay {
  let plan: SimulationPlan
  let isTracing: Bool

  func run() throws {
    try SeededExecutor.install()
    let report = SimulationRun.report(on: plan, isTracing: isTracing)
    print("seed \(plan.seed): digest \(String(report.digest, radix: 16)); \(report.statistics)")
    for violation in report.violations { print("  \(violation)") }
    if !report.violations.isEmpty { throw ExitCode(1) }
  }
}
