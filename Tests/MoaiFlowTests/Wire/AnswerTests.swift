import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// What a hub says is what an embedded swarm says: every answer survives the way through JSON.
@Suite("answers as JSON", .patience) struct AnswerTests {
  private static let bounded: SwarmSettings = {
    var settings = SwarmSettings()
    settings.policies = [
      KeyPolicy(pattern: GlobPattern("v/*"), strategy: .vector),
      KeyPolicy(pattern: GlobPattern("budget"), bounds: CounterBounds(minimum: 0, maximum: 100)),
      KeyPolicy(pattern: GlobPattern("locked"), writers: [GlobPattern("root-*")]),
    ]
    return settings
  }()

  /// Two agents write on, with bases that are behind, and take things back.
  private func write(_ swarm: Swarm, through connection: JSONConnection, seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    try await swarm.replaceSettings(Self.bounded)
    let keys = ["s", "m", "r", "c", "v/r", "v/m", "budget", "locked", "ü/ \u{1F40E}"]
    for _ in 0..<120 {
      let agent = try AgentID(["alice", "bob", "root-1"][random.below(3)])
      let key = try StateKey(keys[random.below(keys.count)])
      let head = try await swarm.status().revision
      let base: RevisionReference? = random.below(3) == 0 ? .revision(Revision(random.below(Int(head) + 1))) : nil
      let value = Int64(random.below(7))
      let operation: StateOperation =
        switch key.description {
        case "s": random.below(3) > 0 ? .add(.int(value)) : .remove(.int(value))
        case "m", "v/m":
          random.below(4) > 0 ? .put(field: UTF8String("f\(value % 3)"), [.int(value), 1.5]) : .removeField("f1")
        case "c", "budget": .increment(value * 9 - 20)
        default: .assign(["x": .int(value)])
        }
      let content: WriteRequest.Content = random.below(12) == 0 ? .delete : .operations([operation])
      let condition: RevisionReference? = random.below(10) == 0 ? .revision(head) : nil
      let request = Request(
        author: agent, body: .write([WriteRequest(key, content, base: base, ifRevision: condition)]))
      do { _ = try await connection.perform(request) } catch .trimmed {}
      if random.below(25) == 0 {
        let target = RewindRequest(.agent(agent, since: .revision(head / 2)), isPartial: true)
        _ = try await connection.rewind(target, as: .operator, via: nil, id: nil, dryRun: random.below(2) == 0)
      }
    }
  }

  @Test("§5.3 §5.6 §6.1 whatever a client may ask, with every kind of value, author and time", arguments: 1...12)
  func answers(seed: UInt64) async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let connection = JSONConnection(swarm: swarm)
    try await write(swarm, through: connection, seed: seed)
    let reader = StateReader(connection: connection, coordinator: swarm.coordinator)
    _ = try await connection.answer(.settings)
    _ = try await connection.answer(.status)
    for key in try await reader.keys(includingValues: true).keys {
      _ = try await reader.read(key.key.description)
      _ = try await connection.answer(.history(HistoryQuery(key.key)))
      _ = try await connection.answer(.explanation(ExplanationQuery(key.key)))
    }
    _ = try await reader.keys(limit: 2)
    let head = try await swarm.status().revision
    for since in stride(from: 0, through: head, by: 17) {
      for limit in [3, 1_000] {
        for withOrigins in [true, false] {
          var query = ChangesQuery(since: .after(.revision(since)), limit: limit, withOrigins: withOrigins)
          while case .changes(let page) = try await connection.answer(.changes(query)), let next = page.next {
            query.since = .page(next)
          }
        }
      }
    }
    _ = try await connection.answer(
      .changes(ChangesQuery(since: .after(.cursor(Cursor(epoch: Epoch(7), revision: 9))))))
  }

  @Test("§5.6 offline replicas exchange through JSON as they do without it, and end equal", arguments: 1...6)
  func replicas(seed: UInt64) async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let connection = JSONConnection(swarm: swarm)
    var open = Self.bounded
    open.policies.removeAll { $0.pattern == GlobPattern("locked") }
    try await swarm.replaceSettings(open)
    let online = try await swarm.join(as: "root-1")
    try await online.state.increment("budget", by: 50)
    var random = SplitMix64(seed: seed)
    let replicas = [try await bench.replica("alice"), try await bench.replica("bob")]
    for replica in replicas {
      try await replica.exchange(with: connection)
      try await replica.reserve(CounterRight(down: 10, up: 2), of: "budget", from: connection)
    }
    for round in 0..<12 {
      bench.time.now += 1_000
      if round == 5 { try await swarm.replaceSettings(Self.bounded) }
      for (number, replica) in replicas.enumerated() {
        for _ in 0..<random.below(4) {
          let value = Int64(random.below(9))
          switch random.below(6) {
          case 0: try await replica.add(.int(value), to: "s")
          case 1: try? await replica.remove(.int(value), from: "s")
          case 2: try await replica.put([.int(value), 0.1], field: "f\(value % 3)", in: "m")
          case 3: try await replica.set("v/r", to: ["n": .int(value)])
          case 4: try? await replica.increment("budget", by: -1)
          // The policy refuses it; it is kept, and listed.
          default: try? await replica.set("locked", to: .int(value))
          }
        }
        if random.below(2) == 0 { try await replica.exchange(with: connection) }
        if round == 6, number == 0 {
          try await online.state.set("v/r", to: "online", base: Cursor(epoch: swarm.epoch, revision: 0))
        }
      }
    }
    for _ in 0..<2 {
      for replica in replicas { try await replica.exchange(with: connection) }
    }
    let values = try await swarm.values()
    for replica in replicas { #expect(try await replica.values == values) }
    _ = try await connection.answer(.replicas)
    let kept = try await swarm.replicas().flatMap(\.kept)
    if seed == 1 { #expect(!kept.isEmpty) }
    for kept in kept.prefix(2) {
      try await replicas[kept.delta.replica == replicas[0].state.id ? 0 : 1].resolve(kept, with: connection)
    }
    _ = try await connection.answer(.replicas)
  }

  @Test("every refusal comes back as it was")
  func refusals() throws {
    let key = try StateKey("k"), agent = try AgentID("alice"), replica = ReplicaID(0xAB)
    let right = CounterRight(down: 3, up: 4)
    let refusals: [Refusal] = [
      .idempotencyMismatch, .settings(.limit("too much")), .journal(.notThere(9, head: 3)),
      .state(.conditionFailed(key, current: 7)), .state(.typeMismatch(key, holds: .set, asked: .map)),
      .state(.strategyMismatch(key, holds: .vector)), .state(.counterOverflow(key)),
      .state(.valueTooLarge(key, limit: 9)), .state(.tooManySiblings(key, limit: 64)),
      .state(.notAllowed(key, agent)), .state(.futureBase(key, 12)), .state(.changedSincePlanned(key)),
      .state(.baseTrimmed(key, base: 1, horizon: 5)),
      .state(.boundExceeded(key, sum: -1, CounterBounds(minimum: 0), reserved: right)),
      .state(.boundExceeded(key, sum: 11, CounterBounds(minimum: 0, maximum: 10), reserved: CounterRight())),
      .replica(.unknown(replica)), .replica(.notYours(replica, owner: agent)),
      .replica(.closed(replica, accepted: 3)), .replica(.outOfOrder(replica, first: 9, accepted: 3)),
      .replica(.forked(replica, first: 4)), .replica(.tooManyKept(replica, limit: 256)),
      .replica(.notReservable(key, "no counter")), .replica(.nothingLeft(key, right)),
      .replica(.notKept(replica, first: 8)),
    ]
    for refusal in refusals {
      let text = JSONWriter.text(refusal.json)
      #expect(try Refusal(answer: WireObject(answer: JSONParser().parse(text))) == refusal, "\(text)")
    }
    #expect(throws: WireError.self) {
      try Refusal(answer: WireObject(answer: ["code": "of another century", "detail": "?", "state_key": "k"]))
    }
  }

  @Test("a delta that was changed on the way, or is none, is refused with the field")
  func brokenDelta() throws {
    let write = KeyWrite(key: try StateKey("s"), content: .operations([.add(1)]))
    let delta = ReplicaDelta(
      replica: ReplicaID(1), first: 1, base: nil, seen: VectorClock([]), previousHash: 0,
      timestamp: Timestamp(milliseconds: 5), writes: [write])
    #expect(try ReplicaDelta(json: delta.json, of: ReplicaID(1), at: .root) == delta)
    #expect(throws: WireError.self) { try ReplicaDelta(json: delta.json, of: ReplicaID(2), at: .root) }
    guard case .object(let object) = delta.json else { return }
    for (name, value) in [
      ("n", 2), ("previous_hash", "x"), ("ops", [["state_key": "s", "ops": [], "base": 1]]), ("seen", ["x": 1]),
      ("extra", 1),
    ]
      as [(UTF8String, StateValue)]
    {
      let fields = object.fields.filter { $0.name != name } + [.init(name, value)]
      #expect(throws: WireError.self, "\(name)") {
        try ReplicaDelta(json: .object(try StateObject(fields)), at: .root)
      }
    }
  }
}
