import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite
import Testing

@Suite("the Swift client, with a real hub", .serialized)
struct HubClientTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  private func client(
    _ token: String? = nil, _ adjust: (inout HubClientOptions) -> Void = { _ in }
  ) throws -> HubClient {
    var options = HubClientOptions()
    options.patience = .seconds(40)
    adjust(&options)
    return try HubClient("http://127.0.0.1:\(hub.port)", token: token, options: options)
  }

  @Test("§4.3 §4.5 values of every type are written and read as in an embedded swarm, refusals too")
  func values() async throws {
    let swarm = try client().swarm()
    let (alice, bob) = (try swarm.join(as: "alice"), try swarm.join(as: "bob"))
    try await alice.state.increment("c", by: 3)
    try await bob.state.increment("c", by: 4)
    try await alice.state.add(["x": 1], to: "s/1 ü%")
    try await alice.state.put([1.5, .null], field: "f", in: "m")
    let written = try await alice.state.set("r", to: "mine")
    let over = try await bob.state.set(
      "r", to: "ours", base: Cursor(epoch: try await swarm.status().epoch, revision: 0))
    #expect(over.overwrote.map(\.agent.description) == ["alice"])
    #expect(try await swarm.state.read("c")?.value == 7)
    #expect(try await swarm.state.read("s/1 ü%")?.value == [["x": 1]])
    #expect(try await swarm.state.read("m")?.value == ["f": [1.5, .null]])
    #expect(try await swarm.state.read("r", at: .revision(written.revision))?.value == "mine")
    #expect(try await swarm.state.read("none") == nil)
    let error = await failure { try await bob.state.set("r", to: 1, ifRevision: written.revision) }
    #expect(error == .refused(.state(.conditionFailed(try StateKey("r"), current: over.revision))))
    let mismatch = await failure { try await bob.state.increment("r") }
    #expect(mismatch == .refused(.state(.typeMismatch(try StateKey("r"), holds: .register, asked: .counter))))
    let head = try await swarm.status().revision
    #expect(await failure { _ = try await swarm.state.read("r", at: .revision(99)) } == .futureRevision(99, head: head))
    #expect(await failure { try await bob.state.set("a\u{1}", to: 1) } != nil)
    let page = try await swarm.state.keys(limit: 2, includingValues: true)
    #expect(page.keys.map(\.key.description) == ["c", "m"] && page.next?.description == "m")
    #expect(try await swarm.state.history(of: "r").changes.map(\.agent.description) == ["bob", "alice"])
    #expect(try await swarm.state.explain("r")?.parts.first?.shown?.author.agent.description == "bob")
    let report = try await bob.state.rewind(RewindRequest(.agent(bob.agent, since: .revision(0))))
    #expect(report.changes.count == 2)
    #expect(try await swarm.state.read("r")?.value == "mine")
    #expect(try await alice.state.delete("r").changed)
    #expect(try await swarm.state.atLeast(.revision(8), within: .seconds(1)).read("c")?.value == 3)
    let now = try await swarm.status().revision
    let early = await failure {
      _ = try await swarm.state.atLeast(.revision(900), within: .milliseconds(20)).read("c")
    }
    #expect(early == .notReached(900, head: now))
  }

  @Test("swarms and memory")
  func swarmsAndMemory() async throws {
    let client = try client()
    let lab = try SwarmName("lab")
    var settings = SwarmSettings()
    settings.policies = [KeyPolicy(pattern: GlobPattern("n"), type: .counter, bounds: CounterBounds(maximum: 5))]
    #expect(try await client.createSwarm(lab, settings: settings).name == lab)
    #expect(try await client.swarms() == [.default, lab])
    #expect(try await client.swarm(lab).settings().settings == settings)
    let alice = try client.swarm(lab).join(as: "alice")
    let error = await failure { try await alice.state.increment("n", by: 6) }
    guard case .refused(.state(.boundExceeded)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try await alice.memory.store(["x": 1], as: "a", in: "notes")
    #expect(try await client.swarm(lab).memory.retrieve("a", from: "notes")?.value == ["x": 1])
    #expect(try await alice.memory.delete("a", from: "notes"))
    try await client.deleteSwarm(lab)
    #expect(await failure { _ = try await client.swarm(lab).status() } == .engine(.noSuchSwarm(lab)))
  }

  @Test("§10.1 a hub that is killed again and again loses no increment and makes none twice; a feed misses nothing")
  func killed() async throws {
    // The client needs one address, so a port that is free now is kept.
    let port = hub.port
    #expect(hub.terminate() == 0)
    var process = try hub.moai.start("serve", "--port", "\(port)")
    _ = try process.nextLine()
    let swarm = try client().swarm()
    let feed = swarm.state.follow(since: .beginning)
    let reader = Task { () -> [StateKey: Int64] in
      var seen: [StateKey: Int64] = [:]
      for try await batch in feed {
        for change in batch.changes {
          switch change.content {
          case .value(.int(let value)): seen[change.key] = value
          case .operations(let operations):
            for case .increment(let amount) in operations { seen[change.key, default: 0] += amount }
          default: Issue.record("\(change)")
          }
        }
        if seen.count == 4, seen.values.allSatisfy({ $0 == 60 }) { break }
      }
      return seen
    }
    let (acknowledged, inlet) = AsyncStream.makeStream(of: Void.self)
    let writers = (0..<4).map { number in
      Task {
        let agent = try swarm.join(as: "agent-\(number)")
        for _ in 0..<60 {
          try await agent.state.increment("n\(number)")
          inlet.yield()
        }
      }
    }
    var acknowledgements = acknowledged.makeAsyncIterator()
    for _ in 0..<3 {
      for _ in 0..<50 { _ = await acknowledgements.next() }
      kill(process.process.processIdentifier, SIGKILL)
      process.process.waitUntilExit()
      process = try hub.moai.start("serve", "--port", "\(port)")
      _ = try process.nextLine()
    }
    for writer in writers { try await writer.value }
    for number in 0..<4 { #expect(try await swarm.state.read("n\(number)")?.value == 60) }
    #expect(try await reader.value.values.allSatisfy { $0 == 60 })
    process.process.terminate()
    #expect(process.waitForEnd() == 0)
  }

  @Test("§5.7 a reader waits longer for a revision than one request may, and than a stream may be silent")
  func longWait() async throws {
    let swarm = try client {
      $0.silence = .milliseconds(50)
      $0.longestWait = .milliseconds(120)
    }.swarm()
    let early = await failure {
      _ = try await swarm.state.atLeast(.revision(1), within: .milliseconds(300)).read("k")
    }
    #expect(early == .notReached(1, head: 0))
    let reader = Task { try await swarm.state.atLeast(.revision(1), within: .seconds(60)).read("k")?.value }
    // The reader's first requests are over by then.
    for _ in 0..<3 {
      _ = await failure { _ = try await swarm.state.atLeast(.revision(1), within: .milliseconds(200)).read("k") }
    }
    try await swarm.join(as: "alice").state.set("k", to: 7)
    #expect(try await reader.value == 7)
  }

  @Test("a stream on which nothing comes is opened again, and misses nothing")
  func silentStream() async throws {
    let swarm = try client { $0.silence = .milliseconds(50) }.swarm()
    let alice = try swarm.join(as: "alice")
    var feed = swarm.state.follow(since: .beginning).makeAsyncIterator()
    for number in 1...3 {
      let early = await failure {
        _ = try await swarm.state.atLeast(.revision(Revision(number)), within: .milliseconds(200)).read("k")
      }
      #expect(early == .notReached(Revision(number), head: Revision(number - 1)))
      try await alice.state.set("k", to: .int(Int64(number)))
      #expect(try await feed.next()?.cursor?.revision == Revision(number))
    }
  }

  @Test("§5.6 offline replicas exchange with a hub, survive their own restart, and end equal")
  func replicas() async throws {
    let folder = try TemporaryFolder()
    let swarm = try client().swarm()
    let boss = try swarm.join(as: "boss")
    try await boss.state.set("m", to: ["a": 1], type: .map)
    func open(_ agent: String) async throws -> (Replica, SQLiteReplicaStore) {
      let store = try await SQLiteReplicaStore(folder: folder.path + "/" + agent)
      return (try await Replica.open(as: agent, in: store, sources: .system), store)
    }
    var (alice, store) = try await open("alice")
    try await alice.exchange(with: swarm)
    try await alice.put(2, field: "b", in: "m")
    try await alice.increment("c", by: 5)
    try await store.close()
    (alice, store) = try await open("alice")
    let (bob, bobs) = try await open("bob")
    try await bob.increment("c", by: 7)
    let report = try await alice.exchange(with: swarm)
    #expect(report.sent == 2 && report.refused.isEmpty)
    try await bob.exchange(with: swarm)
    try await alice.exchange(with: swarm)
    for replica in [alice, bob] {
      #expect(try await replica.read("c")?.value == 12)
      #expect(try await replica.read("m")?.value == ["a": 1, "b": 2])
    }
    #expect(try await swarm.state.read("c")?.value == 12)
    #expect(try await swarm.replicas().map(\.owner.description).sorted() == ["alice", "bob"])
    try await store.close()
    try await bobs.close()
  }

  @Test("§5.1 §5.2 agents with a session are asked by a full sync, and told its result")
  func sessions() async throws {
    let swarm = try client().swarm()
    let (told, inlet) = AsyncStream.makeStream(of: StateValue?.self)
    let sessions = try ["alice", "bob"].map { name in
      let member = try swarm.join(as: name)
      return Task {
        try await member.listen { message in
          switch message {
          case .stateRequest(let request):
            #expect(request.key.description == "tags")
            return .state(SyncResponse(base: .revision(0), .operations([.add(StateValue(name))])))
          case .stateUpdate(_, let reading):
            inlet.yield(reading?.value)
            return nil
          default: return nil
          }
        }
      }
    }
    // Sessions are there once both are asked.
    var report: SyncReport?
    while report?.responders.count != 2 {
      report = try await swarm.state.synchronize(
        "tags", timeout: .seconds(5), quorum: 0, id: CommandID(high: 1, low: UInt64.random(in: .min ... .max)))
    }
    #expect(report?.result?.value == ["alice", "bob"])
    var updates = told.makeAsyncIterator()
    var last: StateValue?? = nil
    while last != .some(["alice", "bob"]) { last = await updates.next() }
    for session in sessions { session.cancel() }
    for session in sessions { _ = await session.result }
  }

  @Test("a hub that is not there, a token that is none, and a swarm that is not are told apart")
  func refused() async throws {
    let nobody = try HubClient(
      "http://127.0.0.1:1",
      options: {
        var o = HubClientOptions(); o.patience = .milliseconds(100); return o
      }())
    guard case .unreachable = await failure({ _ = try await nobody.swarm().status() }) else {
      Issue.record("nobody listens there")
      return
    }
    #expect(await failure { _ = try HubClient("hub") } != nil)
    #expect(await failure { _ = try client().swarm("Lab") } != nil)
    #expect(
      await failure { _ = try await client().swarm("other").status() } == .engine(.noSuchSwarm(try SwarmName("other"))))
    var iterator = try client().swarm("other").state.follow(since: .beginning).makeAsyncIterator()
    let error = await failure { _ = try await iterator.next() }
    #expect(error == .engine(.noSuchSwarm(try SwarmName("other"))))
    let token = try #require(try hub.moai("token", "create", "--role", "observer").lines.first)
    while try hub("GET", "state").status == 200 {}
    guard case .denied = await failure({ _ = try await client().swarm().status() }) else {
      Issue.record("without a token")
      return
    }
    let observer = try client(token).swarm()
    #expect(try await observer.status().revision == 0)
    guard case .denied = await failure({ try await observer.join(as: "alice").state.increment("c") }) else {
      Issue.record("an observer writes")
      return
    }
  }

  private func failure(_ work: () async throws -> Void) async -> SwarmError? {
    do {
      try await work()
      return nil
    } catch {
      return error as? SwarmError
    }
  }
}
