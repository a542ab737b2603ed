import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite(.patience) struct FullSyncTests {
  /// A swarm with a coordinator whose clock the test moves.
  private struct Room {
    let bench: SwarmBench
    let swarm: Swarm
    let clock = ManualClock()
    let coordinator: SwarmCoordinator
    let reader: StateReader
    let updates = Collected()

    init() async throws {
      bench = try await SwarmBench()
      swarm = try await bench.open()
      coordinator = SwarmCoordinator(clock: clock)
      reader = StateReader(connection: swarm, coordinator: coordinator)
    }

    func state(_ agent: String) async throws -> StateSynchronizer { try await swarm.join(as: agent).state }

    /// An agent that answers every request for state with one response.
    func register(_ agent: String, _ response: SyncResponse, after gate: Gate = Gate()) async throws {
      await coordinator.register(try AgentID(agent)) { message in
        switch message {
        case .stateRequest:
          await gate.pass()
          return .state(response)
        case .stateUpdate(_, let reading):
          updates.add(agent, reading?.value)
          return nil
        default: return nil
        }
      }
    }

    func synchronize(
      _ key: String, timeout: Duration = .seconds(5), quorum: Int? = nil, id: UInt64 = 1
    ) async throws -> SyncReport {
      try await reader.synchronize(
        key, timeout: timeout, quorum: quorum, id: CommandID(high: 5, low: id), clock: clock)
    }

    /// Returns when the agent has nothing under way: it has answered a message that was sent now.
    func settle(_ agent: String) async throws {
      let name = try AgentID(agent)
      _ = await coordinator.request(.data("done?", from: name), to: [name], timeout: .seconds(1))
    }

    func base(_ revision: Revision) -> RevisionReference { .cursor(Cursor(epoch: swarm.epoch, revision: revision)) }
  }

  /// Updates that agents were told of.
  private actor Collected {
    private(set) var values: [String: [StateValue?]] = [:]
    private var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []

    nonisolated func add(_ agent: String, _ value: StateValue?) {
      Task { await append(agent, value) }
    }

    private func append(_ agent: String, _ value: StateValue?) {
      values[agent, default: []].append(value)
      for watcher in watchers where values.count >= watcher.count { watcher.continuation.resume() }
      watchers.removeAll { values.count >= $0.count }
    }

    func until(_ count: Int) async {
      if values.count >= count { return }
      await withCheckedContinuation { watchers.append((count, $0)) }
    }
  }

  private func agents(_ names: String...) throws -> [AgentID] { try names.map { try AgentID($0) } }

  @Test("§5.1 six steps: ask all, gather, merge as the agents' own writes, tell all, and no time passes")
  func sixSteps() async throws {
    let room = try await Room()
    let alice = try await room.state("alice")
    try await alice.set("s", to: ["x", "y"], type: .set)
    try await alice.add("z", to: "s")
    try await room.register("alice", SyncResponse(base: room.base(2), .nothing))
    try await room.register("bob", SyncResponse(base: room.base(1), .value(["x", "b"])))
    try await room.register("carol", SyncResponse(base: room.base(2), .operations([.add("c")])))
    let report = try await room.synchronize("s")
    #expect(report.result?.value == ["b", "c", "x", "z"])
    #expect(report.asked == 3)
    #expect(report.quorum == 2)
    #expect(Set(report.responders) == Set(try agents("alice", "bob", "carol")))
    #expect(report.missing.isEmpty)
    #expect(report.revision == 4)
    #expect(report.duration == .zero, "the clock did not move")
    #expect(report.conflicts.count == 2)
    await room.updates.until(3)
    #expect(await room.updates.values.values.allSatisfy { $0 == [["b", "c", "x", "z"]] })
    let authors = try await room.bench.entries().suffix(2).map { try Entry(decoding: $0.payload) }
    #expect(Set(authors.map(\.author)) == Set(try agents("bob", "carol")))
    #expect(authors.allSatisfy { $0.via == .coordinator })
  }

  @Test("§5.1 it returns as soon as the last answer is in, without waiting for the deadline")
  func returnsWithTheLastAnswer() async throws {
    let room = try await Room()
    try await room.state("alice").increment("c")
    let gate = Gate()
    gate.close()
    try await room.register("fast", SyncResponse(base: nil, .nothing))
    try await room.register("slow", SyncResponse(base: nil, .nothing), after: gate)
    async let report = room.synchronize("c")
    await gate.untilHeld()
    await room.clock.untilSleeping()
    room.clock.advance(by: .seconds(4))
    gate.open()
    #expect(try await report.duration == .seconds(4))
    #expect(try await report.responders.map(\.name.string) == ["fast", "slow"])
  }

  @Test("§5.1 without the quorum it fails with who did not answer and why, and nothing changes")
  func quorumFailure() async throws {
    let room = try await Room()
    try await room.state("alice").add("x", to: "s")
    let never = Gate()
    never.close()
    try await room.register("here", SyncResponse(base: room.base(1), .operations([.add("y")])))
    try await room.register("late", SyncResponse(base: room.base(1), .operations([.add("late")])), after: never)
    await room.coordinator.register(try AgentID("broken")) { _ in throw JournalError.closed }
    await room.coordinator.register(try AgentID("silent")) { _ in nil }
    async let result: SyncReport? = {
      do {
        _ = try await room.synchronize("s")
        return nil
      } catch SwarmError.quorumNotReached(let report) {
        return report
      }
    }()
    await never.untilHeld()
    await room.clock.untilSleeping()
    room.clock.advance(by: .seconds(5))
    let report = try #require(try await result)
    #expect(report.asked == 4)
    #expect(report.quorum == 3)
    #expect(report.responders == (try agents("here")))
    #expect(report.missing[try AgentID("late")] == .deadline)
    #expect(Set(report.missing.keys) == Set(try agents("late", "broken", "silent")))
    for name in ["broken", "silent"] {
      guard case .declined = report.missing[try AgentID(name)] else {
        Issue.record("\(name) is missing because of \(String(describing: report.missing[try AgentID(name)]))")
        continue
      }
    }
    #expect(try await room.swarm.value("s") == ["x"])
    #expect(try await room.bench.entries().count == 1)
    // Late after a failure: discarded.
    never.open()
    try await room.settle("late")
    #expect(try await room.swarm.value("s") == ["x"])
    #expect(await room.updates.values.isEmpty)
  }

  @Test("§5.1 with nobody to ask it succeeds at once with the journal's value")
  func nobodyToAsk() async throws {
    let room = try await Room()
    try await room.state("alice").increment("c", by: 7)
    let report = try await room.synchronize("c")
    #expect(report.result?.value == 7)
    #expect(report.asked == 0)
    #expect(report.quorum == 0)
    #expect(report.revision == 1)
    #expect(try await room.synchronize("absent").result == nil)
  }

  @Test("§5.1 the quorum can be given; more than were asked fails, a negative one is refused", arguments: [0, 1, 2, 3])
  func givenQuorum(quorum: Int) async throws {
    let room = try await Room()
    try await room.register("a", SyncResponse(base: nil, .nothing))
    await room.coordinator.register(try AgentID("b")) { _ in throw JournalError.closed }
    if quorum <= 1 {
      #expect(try await room.synchronize("k", quorum: quorum).quorum == quorum)
    } else {
      await #expect(throws: SwarmError.self) { try await room.synchronize("k", quorum: quorum) }
    }
    await #expect(throws: SwarmError.self) { try await room.synchronize("k", quorum: -1) }
  }

  @Test("§5.1 an agent that answers something else is among the missing")
  func wrongAnswers() async throws {
    let room = try await Room()
    try await room.register("a", SyncResponse(base: nil, .nothing))
    try await room.register("b", SyncResponse(base: nil, .nothing))
    await room.coordinator.register(try AgentID("chatty")) { _ in .data("hello") }
    let report = try await room.synchronize("k")
    #expect(report.responders.count == 2)
    #expect(Set(report.missing.keys) == Set(try agents("chatty")))
  }

  @Test("§5.2 after success a late answer is one more write, by its agent, once")
  func lateAfterSuccess() async throws {
    let room = try await Room()
    try await room.state("alice").add("x", to: "s")
    let gate = Gate()
    gate.close()
    try await room.register("a", SyncResponse(base: room.base(1), .nothing))
    try await room.register("b", SyncResponse(base: room.base(1), .nothing))
    try await room.register("late", SyncResponse(base: room.base(1), .operations([.add("late")])), after: gate)
    async let report = room.synchronize("s")
    await gate.untilHeld()
    await room.clock.untilSleeping()
    room.clock.advance(by: .seconds(5))
    #expect(try await report.missing == [try AgentID("late"): .deadline])
    #expect(try await room.swarm.value("s") == ["x"])
    gate.open()
    try await room.settle("late")
    #expect(try await room.swarm.value("s") == ["late", "x"])
    #expect(try await room.swarm.state.read("s")?.agent.name.string == "late")
  }

  @Test("§5.2 an answer without a base is reported and not merged, unless the key does not exist")
  func withoutBase() async throws {
    let room = try await Room()
    try await room.state("alice").set("r", to: "journal")
    try await room.register("bob", SyncResponse(base: nil, .value("bob's")))
    let report = try await room.synchronize("r")
    #expect(report.result?.value == "journal")
    #expect(report.contributions.map(\.fate) == [.withoutBase])
    #expect(report.conflicts.count == 1)
    let fresh = try await room.synchronize("new", id: 2)
    #expect(fresh.result?.value == "bob's")
    #expect(fresh.contributions.map(\.fate) == [.merged(2)])
  }

  @Test("§5.2 an agent that only fell behind does not bring old values back", arguments: CRDTType.allCases)
  func oldValuesStayOld(type: CRDTType) async throws {
    let room = try await Room()
    let alice = try await room.state("alice")
    let (old, new): (StateValue, StateValue) =
      switch type {
      case .counter: (5, 8)
      case .set: (["x", "y"], ["y", "z"])
      case .map: (["f": 1, "g": 1], ["f": 2, "h": 1])
      case .register: ("old", "new")
      }
    if type == .counter {
      try await alice.increment("k", by: 5)
      try await alice.increment("k", by: 3)
    } else {
      try await alice.set("k", to: old, type: type)
      try await alice.set("k", to: new, base: Cursor(epoch: room.swarm.epoch, revision: 1))
    }
    try await room.register("bob", SyncResponse(base: room.base(1), .value(old)))
    try await room.register("carol", SyncResponse(base: room.base(2), .value(new)))
    let report = try await room.synchronize("k")
    #expect(report.result?.value == new)
    #expect(report.discarded == [])
  }

  @Test("§5.2 a base that the journal never had is refused and reported; the others are merged")
  func impossibleBases() async throws {
    let room = try await Room()
    try await room.state("alice").add("x", to: "s")
    try await room.register("future", SyncResponse(base: room.base(99), .operations([.add("f")])))
    try await room.register(
      "other", SyncResponse(base: .cursor(Cursor(epoch: Epoch(77), revision: 1)), .operations([.add("o")])))
    try await room.register("wrong", SyncResponse(base: room.base(1), .operations([.increment(1)])))
    try await room.register("good", SyncResponse(base: room.base(1), .operations([.add("g")])))
    let report = try await room.synchronize("s")
    #expect(report.result?.value == ["g", "x"])
    let refused = report.contributions.filter {
      if case .refused(let why) = $0.fate { !why.isEmpty } else { false }
    }
    #expect(Set(refused.map(\.agent)) == Set(try agents("future", "other", "wrong")))
  }

  @Test("§5.1 two syncs of one key at once merge every answer once")
  func twoAtOnce() async throws {
    let room = try await Room()
    try await room.state("alice").increment("c", by: 10)
    for name in ["a", "b", "d"] {
      try await room.register(name, SyncResponse(base: room.base(1), .value(11)))
    }
    async let first = room.synchronize("c", id: 1)
    async let second = room.synchronize("c", id: 1)
    _ = try await (first, second)
    // Each of three agents counted one up since revision 1.
    #expect(try await room.swarm.value("c") == 13)
    _ = try await room.synchronize("c", id: 1)
    #expect(try await room.swarm.value("c") == 13, "the same sync again writes no answer twice")
  }

  @Test("§5.1 a hundred agents, all of whom have something")
  func hundredAgents() async throws {
    let room = try await Room()
    try await room.state("alice").add(-1, to: "s")
    for number in 0..<100 {
      try await room.register(
        "agent-\(number)", SyncResponse(base: room.base(1), .operations([.add(.int(Int64(number)))])))
    }
    let report = try await room.synchronize("s")
    #expect(report.result?.value == .array((-1..<100).map { .int($0) }.sorted()))
    #expect(report.responders.count == 100)
    #expect(report.duration == .zero)
    await room.updates.until(100)
  }

  @Test("§5.1 discarded names whose newer writes are no longer shown")
  func discarded() async throws {
    let room = try await Room()
    let alice = try await room.state("alice")
    try await alice.set("r", to: "first")
    try await alice.set("r", to: "second")
    try await room.register("bob", SyncResponse(base: room.base(1), .value("bob's")))
    let report = try await room.synchronize("r")
    #expect(report.result?.value == "bob's")
    #expect(report.discarded == [Overwritten(agent: try AgentID("alice"), revision: 2)])
    #expect(report.conflicts.map(\.agent) == (try agents("bob")))
  }
}
