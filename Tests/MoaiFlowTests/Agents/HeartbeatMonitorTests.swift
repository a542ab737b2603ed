import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Agents of an embedded swarm: signs of life, failures, recoveries (rules §7.1 to §7.4).
@Suite struct HeartbeatMonitorTests {
  private let bench: SwarmBench
  private let swarm: Swarm
  private let alice: SwarmMember
  private let bob: SwarmMember

  init() async throws {
    bench = try await SwarmBench()
    swarm = try await bench.open()
    alice = try await swarm.join(as: "alice")
    bob = try await swarm.join(as: "bob")
  }

  /// Lets time pass in steps in which the swarm looks after its agents.
  private func pass(_ milliseconds: Int64, in swarm: Swarm? = nil) async {
    for _ in 0..<(milliseconds / 500) {
      bench.monotonic.now += 500
      bench.time.now += 500
      await (swarm ?? self.swarm).superviseAgents(now: bench.time.now)
    }
    await (swarm ?? self.swarm).until(writing: false)
  }

  private func health(_ agent: String) async throws -> AgentHealth? {
    try await swarm.agents.status(of: agent)?.standing.health
  }

  @Test("§7.1 an agent registers, is listed with what it said, and leaves")
  func registers() async throws {
    let incarnation = try await alice.presence.register(.init(capabilities: ["swift"], weight: 2))
    try await bob.presence.register()
    #expect(incarnation == 1)
    let page = try await swarm.agents.list()
    #expect(page.agents.map(\.agent.description) == ["alice", "bob"] && page.revision == 2 && page.next == nil)
    #expect(page.agents[0].profile.capabilities == ["swift"] && page.agents[0].standing.health == .healthy)
    let first = try await swarm.agents.list(limit: 1)
    #expect(first.next == alice.agent)
    #expect(try await swarm.agents.list(after: alice.agent, limit: 1).agents.map(\.agent) == [bob.agent])
    try await alice.presence.unregister()
    #expect(try await swarm.agents.status(of: "alice") == nil)
    let error = await swarmError { try await alice.presence.heartbeat() }
    #expect(error == .refused(.agent(.unknown(alice.agent))))
  }

  @Test("§7.1 the same registration under its id is one incarnation")
  func registersOnce() async throws {
    let id = CommandID(high: 1, low: 1)
    #expect(try await alice.presence.register(id: id) == 1)
    #expect(try await alice.presence.register(id: id) == 1)
    #expect(try await bench.entries().count == 1)
  }

  @Test("§7.2 §7.3 §7.4 silence is told step by step and ends in an entry; any request recovers, before it is answered")
  func failsAndRecovers() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    let news = try #require(await swarm.watchAgents())
    await pass(1_000)
    #expect(try await health("alice") == .degraded)
    await pass(1_000)
    #expect(try await health("alice") == .critical)
    await pass(1_000)
    #expect(try await health("alice") == .failed)
    #expect(try await bench.entries().count == 2)
    let failure = try #require(try await swarm.agents.status(of: "alice")?.failure)
    #expect(failure.revision == 2 && failure.lastSign == bench.time.now - 3_000)
    // Nobody is declared twice.
    await pass(5_000)
    #expect(try await bench.entries().count == 2)
    // Whatever it asks for is behind the entry that it lives.
    try await alice.state.increment("c")
    let entries = try await bench.entries().map { try Entry(decoding: $0.payload).command }
    #expect(entries[2] == .agent(.recover(alice.agent, incarnation: 1)))
    guard case .state = entries[3] else { return #expect(Bool(false)) }
    #expect(try await health("alice") == .healthy)
    let told = await words(news)
    #expect(
      told == [
        "alice degraded", "alice critical", "alice failed 1", "alice failed", "alice recovered 1", "alice healthy",
      ])
  }

  @Test("§7.4 a heartbeat of a failed agent is answered after its recovery")
  func heartbeatRecovers() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    await pass(3_000)
    #expect(try await health("alice") == .failed)
    let status = try await alice.presence.heartbeat()
    #expect(status.standing.health == .healthy && status.failure == nil)
    #expect(try await bench.entries().count == 3)
  }

  @Test("§7.2 requests are signs of life, of whoever makes them; heartbeats are not journaled")
  func signs() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    try await bob.presence.register(.init(heartbeatInterval: 1_000))
    for _ in 0..<20 {
      await pass(500)
      try await alice.presence.heartbeat(Heartbeat(progress: 1, status: "thinking"))
      try await bob.state.increment("c")
    }
    #expect(try await health("alice") == .healthy)
    #expect(try await health("bob") == .healthy)
    #expect(try await bench.entries().count == 22)
    let status = try #require(try await swarm.agents.status(of: "alice"))
    #expect(status.standing.heartbeat.status == "thinking" && status.lastSeen == bench.time.now)
  }

  @Test("§7.2 a restart, a pause of the hub and a slow disk declare nobody dead")
  func nobodyDies() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    await pass(2_500)
    // The hub is stopped, a minute long.
    bench.monotonic.now += 60_000
    await pass(2_000)
    #expect(try await bench.entries().count == 1)
    // A restart: silence counts from when it is ready.
    try await swarm.close()
    bench.monotonic.now += 60_000
    let second = try await bench.open()
    await pass(2_500, in: second)
    #expect(try await bench.entries().count == 1)
    // The disk takes its time while the agent speaks: what it asked for is a sign when it came.
    let member = try await second.join(as: "alice")
    bench.journal.appendGate.close()
    async let write: Outcome = second.perform(
      Request(author: member.agent, body: .write([WriteRequest(StateKey("k"), .operations([.assign(1)]))])))
    await second.until(writing: true)
    await pass(2_500, in: second, waiting: false)
    bench.journal.appendGate.open()
    _ = try await write
    await second.until(writing: false)
    #expect(try await bench.entries().count == 2, "the write, and no failure")
  }

  private func pass(_ milliseconds: Int64, in swarm: Swarm, waiting: Bool) async {
    for _ in 0..<(milliseconds / 500) {
      bench.monotonic.now += 500
      await swarm.superviseAgents(now: bench.time.now)
    }
  }

  @Test("§7.4 who is heard while the entry that declares him failed is on its way recovers by himself")
  func heardTooLate() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    await pass(2_500)
    bench.journal.appendGate.close()
    bench.monotonic.now += 500
    await swarm.superviseAgents(now: bench.time.now)
    await swarm.until(writing: true)
    async let write = alice.state.set("k", to: 1)
    bench.journal.appendGate.open()
    _ = try await write
    await swarm.until(writing: false)
    #expect(try await health("alice") == .healthy)
    let commands = try await bench.entries().map { try Entry(decoding: $0.payload).command }
    #expect(commands.contains(.agent(.recover(alice.agent, incarnation: 1))))
  }

  @Test("§7.4 a failed agent is failed after a restart, from a checkpoint, until it speaks")
  func failedAfterRestart() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 1_000))
    await pass(3_000)
    try await swarm.close()
    let second = try await bench.open()
    let status = try #require(try await second.agents.status(of: "alice"))
    #expect(status.standing.health == .failed && status.lastSeen == status.failure?.lastSign)
    let again = try await second.join(as: "alice")
    #expect(try await again.presence.heartbeat().standing.health == .healthy)
    #expect(try await again.presence.register() == 4)
  }

  @Test("§7.1 nobody but the hub declares health, and fields out of bounds are named")
  func refusals() async throws {
    for command in [
      AgentCommand.fail(alice.agent, incarnation: 1, lastSign: nil), .recover(alice.agent, incarnation: 1),
    ] {
      let error = await swarmError {
        _ = try await swarm.perform(Request(author: alice.agent, body: .agent(command)))
      }
      guard case .denied? = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }
    let error = await swarmError { try await alice.presence.register(.init(heartbeatInterval: 1)) }
    guard case .invalid("/heartbeat_interval_ms", _)? = error else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
    try await alice.presence.register()
    let busy = await swarmError { try await alice.presence.heartbeat(Heartbeat(busyMilliseconds: -1)) }
    #expect(busy == .invalid(field: "/busy_for_ms", "-1 is negative"))
    let long = StateValue(String(repeating: "x", count: 2_000))
    let large = await swarmError { try await alice.presence.heartbeat(Heartbeat(status: long)) }
    guard case .invalid("/status", _)? = large else { return #expect(Bool(false)) }
  }

  @Test("§7.2 a client keeps its agent alive every third of the interval, over errors that pass")
  func keepsAlive() async throws {
    try await alice.presence.register(.init(heartbeatInterval: 900))
    let clock = ManualClock()
    let presence = alice.presence
    let task = Task { try? await presence.keepAlive(clock: clock) }
    for _ in 0..<20 {
      await clock.untilSleeping(1)
      #expect(try await swarm.agents.status(of: "alice")?.standing.silence == 0)
      bench.monotonic.now += 300
      await swarm.superviseAgents(now: bench.time.now)
      #expect(try await health("alice") == .healthy)
      clock.advance(by: .milliseconds(300))
      await clock.untilSleeping(1)
    }
    try await alice.presence.unregister()
    clock.advance(by: .milliseconds(300))
    _ = await task.value
  }

  @Test("§7 all of it goes to JSON and back as between a client and a hub")
  func overJSON() async throws {
    let connection = JSONConnection(swarm: swarm)
    let presence = AgentPresence(connection: connection, agent: alice.agent)
    let monitor = HeartbeatMonitor(connection: connection)
    try await presence.register(
      .init(
        capabilities: ["a", "b"], weight: 5, capacity: .some(3), publicKey: .init(repeating: 9, count: 32),
        metadata: ["x": [1, 2]]))
    try await presence.heartbeat(Heartbeat(busyMilliseconds: 5_000, progress: ["step": 3], status: "busy"))
    #expect(try await monitor.status(of: "alice")?.profile.capacity == 3)
    #expect(try await monitor.status(of: "bob") == nil)
    try await bob.presence.register(.init(heartbeatInterval: 1_000))
    await pass(4_000)
    #expect(try await monitor.status(of: "bob")?.failure != nil)
    #expect(try await monitor.list().agents.count == 2)
    let error = await swarmError { try await AgentPresence(connection: connection, agent: AgentID("no")).unregister() }
    #expect(error == .refused(.agent(.unknown(try AgentID("no")))))
    try await presence.unregister()
  }

  /// What a watcher was told so far.
  private func words(_ mailbox: AgentMailbox) async -> [String] {
    guard case .elements(let news) = await mailbox.take() else { return [] }
    return news.flatMap { news in
      switch news {
      case .event(let event, _): ["\(event.agent) \(event.kind.rawValue) \(event.incarnation)"]
      case .health(let reports): reports.map { "\($0.agent) \($0.health.rawValue)" }
      }
    }
  }

  @Test("§7.3 the news come as a sequence, from its first call on, and end with the swarm")
  func news() async throws {
    let feed = swarm.agentNews
    let reader = Task {
      var kinds: [AgentEvent.Kind] = []
      for try await news in feed {
        if case .event(let event, _) = news { kinds.append(event.kind) }
      }
      return kinds
    }
    while await swarm.agentWatchers.isEmpty { await Task.yield() }
    try await alice.presence.register()
    try await alice.presence.unregister()
    try await swarm.close()
    #expect(try await reader.value == [.registered, .unregistered])
  }
}
