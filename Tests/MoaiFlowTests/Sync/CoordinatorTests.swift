import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite(.patience) struct CoordinatorTests {
  private let clock = ManualClock()

  private actor Heard {
    private(set) var messages: [AgentMessage] = []
    func append(_ message: AgentMessage) { messages.append(message) }
  }

  private func agent(_ name: String) throws -> AgentID { try AgentID(name) }

  @Test("an agent gets its messages one at a time and in order")
  func inOrder() async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let heard = Heard()
    let alice = try agent("alice")
    await coordinator.register(alice) { message in
      await Task.yield()
      await heard.append(message)
      return .data("ok")
    }
    let messages = (0..<100).map { AgentMessage.data(.int($0), from: alice) }
    for message in messages { try await coordinator.send(message, to: alice) }
    _ = await coordinator.request(.data("end", from: alice), to: [alice], timeout: .seconds(1))
    #expect(await heard.messages.dropLast() == messages[...])
  }

  @Test("sending to an unknown agent is an error, broadcasting names who was not reached")
  func unknownAgents() async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let alice = try agent("alice")
    let nobody = try agent("nobody")
    await coordinator.register(alice) { _ in nil }
    await #expect(throws: CoordinatorError.unknownAgent(nobody)) {
      try await coordinator.send(.data(1, from: alice), to: nobody)
    }
    let answers = await coordinator.request(.data(1, from: alice), to: [nobody, alice], timeout: .seconds(1))
    #expect(answers.answers.isEmpty)
    #expect(answers.missing[nobody] == .unreachable(.unknownAgent(nobody)))
    #expect(await coordinator.broadcast(.data(1, from: alice), excluding: [alice]).isEmpty)
    #expect(await coordinator.agents() == [alice])
  }

  @Test("an agent that takes no messages blocks only itself, and its session fills up to the limit")
  func hangingHandler() async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let (hung, well) = (try agent("hung"), try agent("well"))
    let gate = Gate()
    gate.close()
    await coordinator.register(hung) { _ in
      await gate.pass()
      return nil
    }
    await coordinator.register(well) { _ in .data("well") }
    try await coordinator.send(.data(0, from: well), to: hung)
    await gate.untilHeld()
    for number in 0..<SwarmCoordinator.sessionLimit {
      try await coordinator.send(.data(.int(Int64(number)), from: well), to: hung)
    }
    let full = CoordinatorError.sessionFull(hung, limit: SwarmCoordinator.sessionLimit)
    await #expect(throws: full) { try await coordinator.send(.data(0, from: well), to: hung) }
    #expect(await coordinator.broadcast(.data(0, from: well), excluding: []) == [hung: full])
    let answers = await coordinator.request(.data(0, from: well), to: [hung, well], timeout: .seconds(1))
    #expect(answers.answers.map(\.agent) == [well])
    #expect(answers.missing[hung] == .unreachable(full))
    gate.open()
  }

  @Test("an agent that leaves with a request under way or waiting is missing at once", arguments: [true, false])
  func leaving(registersAgain: Bool) async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let (leaver, other) = (try agent("leaver"), try agent("other"))
    let gate = Gate()
    gate.close()
    await coordinator.register(leaver) { _ in
      await gate.pass()
      try Task.checkCancellation()
      return .data("too late")
    }
    await coordinator.register(other) { _ in .data("here") }
    // The first request is being handled, the second waits behind it.
    async let first = coordinator.request(.data(1, from: other), to: [leaver, other], timeout: .seconds(9))
    await gate.untilHeld()
    async let second = coordinator.request(.data(2, from: other), to: [leaver, other], timeout: .seconds(9))
    await clock.untilSleeping(2)
    if registersAgain {
      await coordinator.register(leaver) { _ in .data("new session") }
    } else {
      await coordinator.unregister(leaver)
    }
    gate.open()
    for answers in await [first, second] {
      #expect(answers.answers.map(\.agent) == [other])
      guard case .declined = answers.missing[leaver] else {
        Issue.record("missing: \(answers.missing)")
        continue
      }
    }
    #expect(clock.now.offset == .zero)
  }

  /// Tells when nobody holds it any more.
  private final class Sentinel: Sendable {
    let gate: Gate
    init(_ gate: Gate) { self.gate = gate }
    func touch() {}
    deinit { gate.open() }
  }

  @Test("§5.2 a request takes late answers for five minutes, and lets go of their taker then")
  func lateWindow() async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let (late, later) = (try agent("late"), try agent("later"))
    let gates = [late: Gate(), later: Gate()]
    for (agent, gate) in gates {
      gate.close()
      await coordinator.register(agent) { message in
        if message == .data("question", from: agent) || message == .data("question", from: late) { await gate.pass() }
        return .data("answer")
      }
    }
    let taken = Heard()
    let isGone = Gate()
    isGone.close()
    let ask: @Sendable (Sentinel) async -> GatheredAnswers = { [coordinator] sentinel in
      await coordinator.request(.data("question", from: late), to: [late, later], timeout: .seconds(1)) { agent, _ in
        sentinel.touch()
        await taken.append(.data(.string(agent.name), from: agent))
        return true
      }
    }
    async let answers = ask(Sentinel(isGone))
    for gate in gates.values { await gate.untilHeld() }
    await clock.untilSleeping()
    clock.advance(by: .seconds(1))
    #expect(await answers.missing == [late: .deadline, later: .deadline])
    await clock.untilSleeping()
    clock.advance(by: SwarmCoordinator.lateWindow - .nanoseconds(1))
    gates[late]?.open()
    _ = await coordinator.request(.data("done?", from: later), to: [late], timeout: .seconds(1))
    #expect(await taken.messages == [.data("late", from: late)])
    clock.advance(by: .nanoseconds(1))
    await isGone.pass()
    gates[later]?.open()
    _ = await coordinator.request(.data("done?", from: late), to: [later], timeout: .seconds(1))
    #expect(await taken.messages.count == 1)
  }

  @Test("a request to nobody returns at once, one to an agent twice asks once")
  func oddRequests() async throws {
    let coordinator = SwarmCoordinator(clock: clock)
    let alice = try agent("alice")
    await coordinator.register(alice) { _ in .data("ok") }
    #expect(await coordinator.request(.data(1, from: alice), to: [], timeout: .seconds(1)).answers.isEmpty)
    #expect(
      await coordinator.request(.data(1, from: alice), to: [alice, alice], timeout: .seconds(1)).answers.count == 1)
  }

  @Test("a clock that stands still wakes nobody; moved, it wakes in the order of the deadlines")
  func manualClock() async throws {
    let order = Heard()
    let alice = try agent("alice")
    let clock = clock
    try await withThrowingTaskGroup(of: Void.self) { group in
      for seconds in [3, 1, 2] {
        group.addTask {
          try await clock.sleep(for: .seconds(seconds))
          await order.append(.data(.int(Int64(seconds)), from: alice))
        }
      }
      await clock.untilSleeping(3)
      for expected in 1...3 {
        clock.advance(by: .milliseconds(999))
        #expect(clock.sleepers == 4 - expected)
        clock.advance(by: .milliseconds(1))
        try await group.next()
      }
    }
    #expect(await order.messages == [1, 2, 3].map { .data(.int($0), from: alice) })
    try await clock.sleep(for: .zero)
    let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
    await clock.untilSleeping()
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(clock.sleepers == 0)
  }
}
