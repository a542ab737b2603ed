import ArgumentParser
import MoaiFlowTesting

/// `simulate`: runs the swarm in a simulated world, once for each seed, and shrinks what fails.
@main
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Run the swarm in a simulated world, once for each seed.",
    discussion: "docs/Simulation.md says what a run is and what it checks.")

  @Option(help: "How many seeds to run.")
  var seeds = 2_000

  @Option(help: "The first seed.")
  var from: UInt64 = 1

  @Option(help: "Processes to share the seeds among.")
  var jobs = 2

  @Option(help: "Failing seeds after which to stop.")
  var failures = 3

  @Option(help: "Only this seed.")
  var seed: UInt64?

  @Option(help: "Only these steps of the seed, by their numbers: 3,7,9.")
  var steps: String?

  @Flag(help: "With a seed: print every event.")
  var trace = false

  @Flag(help: "Do not shrink what fails.")
  var whole = false

  @Flag(help: .hidden)
  var worker = false

  func run() throws {
    if worker {
      try Worker(seeds: from..<(from + UInt64(seeds))).run()
    } else if let seed {
      try Replay(plan: plan(of: seed), isTracing: trace).run()
    } else {
      try Fleet(
        seeds: from..<(from + UInt64(max(0, seeds))), jobs: max(1, jobs), failures: failures, isShrinking: !whole
      )
      .run()
    }
  }

  private func plan(of seed: UInt64) throws -> SimulationPlan {
    let plan = SimulationPlan(seed: seed)
    guard let steps else { return plan }
    let numbers = steps.split(separator: ",").map { Int($0) }
    guard numbers.allSatisfy({ $0 != nil }) else { throw ValidationError("--steps takes numbers, as in 3,7,9") }
    return plan.keeping(Set(numbers.compactMap { $0 }))
  }
}
