import MoaiFlow
import Synchronization

/// One run: the real swarm, synchroniser and copies in a simulated world, as a plan says; then everything is put right,
/// and what was seen is judged.
package struct SimulationRun: Sendable {
  /// What a run came to.
  package struct Report: Sendable {
    package let seed: UInt64
    /// Over everything that happened: equal for equal runs.
    package let digest: UInt64
    package let violations: [SimulationViolation]
    package let statistics: RunStatistics
  }

  private let plan: SimulationPlan
  private let world: SimulatedWorld
  private let isTracing: Bool

  /// Runs a plan on this thread, which ``SeededExecutor`` must have been installed on.
  package static func report(on plan: SimulationPlan, isTracing: Bool = false) -> Report {
    let orders = SeededExecutor.Order.allCases
    let order = orders[min(Int(plan.seed % 6), orders.count - 1) % orders.count]
    do {
      return try SeededExecutor.run(seed: plan.seed, order: plan.seed % 6 < 3 ? .random : order) {
        let world = SimulatedWorld(seed: plan.seed, isTracing: isTracing)
        return await SimulationRun(plan: plan, world: world, isTracing: isTracing).run()
      }
    } catch {
      let violation = SimulationViolation(rule: "simulation", text: "\(error)")
      return Report(seed: plan.seed, digest: 0, violations: [violation], statistics: RunStatistics())
    }
  }

  private func run() async -> Report {
    await world.begin()
    let clock = SimulatedClock()
    for step in plan.steps {
      let wait = Int64(step.time) - clock.milliseconds
      if wait > 0 { await clock.pass(Int(wait)) }
      world.log.note(event: "step \(step.number) \(step.kind)")
      world.courier.send { [world] in await world.perform(step) }
    }
    await world.putRight()
    var violations = world.log.all.violations
    var statistics = RunStatistics()
    var chain: UInt64 = 0
    do {
      var judge = try await RunJudge(world)
      if isTracing { print(judge.eras) }
      try await judge.judge()
      violations += judge.violations
      statistics = judge.statistics
      chain = judge.chain
    } catch {
      violations.append(SimulationViolation(rule: "§10.1", text: "what is stored cannot be read: \(error)"))
    }
    var digest = world.log.all.digest
    digest.combine(chain)
    for violation in violations { digest.combine(bytes: Array(violation.description.utf8)) }
    return Report(seed: plan.seed, digest: digest.finalize(), violations: violations, statistics: statistics)
  }

  private func print(_ eras: [SimulatedDisk.Era]) {
    for era in eras {
      for stored in era.entries.dropFirst(Int(era.inherited)) {
        let entry = try? Entry(decoding: stored.payload)
        Swift.print(
          "  entry \(era.epoch)-\(stored.revision): \(entry.map { "\($0.author) \($0.command)" } ?? "unreadable")")
      }
    }
  }
}
