import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The state facet against ``NaiveState``, on random histories from a seed.
@Suite struct StateModelTests {
  private struct Run {
    var random: SplitMix64
    var harness = CoreHarness()
    var model = NaiveState()
    /// Follows every entry.
    var live = StateMirror()
    static let keys: [(name: String, type: CRDTType)] = [
      ("c1", .counter), ("c2", .counter), ("s1", .set), ("s2", .set), ("m1", .map), ("m2", .map), ("r1", .register),
    ]
    static let agents = ["alice", "bob", "carol"]

    init(seed: UInt64) {
      random = SplitMix64(seed: seed)
    }

    mutating func pick<T>(_ from: [T]) -> T { from[random.below(from.count)] }

    mutating func element() -> StateValue {
      pick(["x", "y", "z", "\u{E9}", "e\u{301}", 1, 1.0, true, nil, ["a"], ["f": 1]])
    }

    mutating func base() -> Revision? {
      let head = Int(harness.core.revision)
      switch random.below(4) {
      case 0: return nil
      case 1: return Revision(random.below(head + 1))
      default: return Revision(max(0, head - random.below(6)))
      }
    }

    mutating func step() throws {
      let (key, type) = pick(Run.keys)
      let agent = pick(Run.agents)
      let base = base()
      harness.now += Int64(random.below(3)) - 1
      var actions: [NaiveState.Action] = []
      let content: WriteRequest.Content
      switch (random.below(12), type) {
      case (0, _):
        content = .delete
        actions = [.delete]
      case (1...3, .set), (1...3, .map), (1...3, .register):
        let value = wholeValue(type)
        content = .value(value)
        actions = model.actions(writing: value, type: type, to: key, base: base)
      case (1...3, .counter) where base != nil:
        content = .value(.int(Int64(random.below(50))))
        if case .value(let value, _) = content {
          actions = model.actions(writing: value, type: type, to: key, base: base)
        }
      case (4, .counter):
        let share = Int64(random.below(20))
        content = .share(share)
        actions = [.share(share)]
      default:
        let operations = (0...random.below(3)).map { _ in operation(type) }
        content = .operations(operations.map(\.0))
        let creates = operations.contains { $0.0.creates }
        let exists = model.parts(of: key, at: harness.core.revision) != nil
        if creates || exists { actions = operations.map(\.1) }
      }
      try harness.write(key, content, by: agent, base: base, type: type)
      model.record(key, agent, revision: harness.core.revision, base: base, actions)
    }

    private mutating func wholeValue(_ type: CRDTType) -> StateValue {
      switch type {
      case .set: return .array((0..<random.below(5)).map { _ in element() })
      case .map:
        let names = ["a", "b", "c", "d"].filter { _ in random.below(2) == 0 }
        return .object(try! StateObject(names.map { (UTF8String($0), element()) }))
      default: return element()
      }
    }

    private mutating func operation(_ type: CRDTType) -> (StateOperation, NaiveState.Action) {
      switch type {
      case .counter:
        let amount = Int64(random.below(21)) - 10
        return (.increment(amount), .count(amount))
      case .register:
        let value = element()
        return (.assign(value), .write(.whole, value))
      case .set:
        let value = element()
        return random.below(3) > 0
          ? (.add(value), .write(.element(value), .null)) : (.remove(value), .erase(.element(value)))
      case .map:
        let field = UTF8String(pick(["a", "b", "c", "d"]))
        let value = element()
        return random.below(3) > 0
          ? (.put(field: field, value), .write(.field(field), value)) : (.removeField(field), .erase(.field(field)))
      }
    }
  }

  @Test("§4.2 §4.3 §4.4 §4.8 every value is what the naive model says, at every step", arguments: 0..<24)
  func valuesAgreeWithTheModel(seed: Int) throws {
    var run = Run(seed: UInt64(seed))
    for _ in 0..<120 {
      try run.step()
      for (key, type) in Run.keys {
        let expected = run.model.value(of: key, type: type, at: run.harness.core.revision)
        try #require(
          run.harness.value(key) == expected, "seed \(seed), revision \(run.harness.core.revision), key \(key)")
      }
    }
  }

  @Test("§5.3 changes since any revision turn the value then into the value now, in any pages", arguments: 0..<16)
  func changesLeadFromThenToNow(seed: Int) throws {
    var run = Run(seed: UInt64(1_000 + seed))
    for _ in 0..<100 { try run.step() }
    for since in stride(from: Revision(0), through: run.harness.core.revision, by: 3) {
      var mirror = try mirror(run, at: since)
      var position: Revision? = since
      while let from = position {
        let page = run.harness.changes(
          since: since, position: from, limit: 1 + run.random.below(4), maxBytes: 1 + run.random.below(2_000))
        try mirror.apply(page)
        position = page.next?.position
      }
      for (key, type) in Run.keys {
        let now = run.model.value(of: key, type: type, at: run.harness.core.revision)
        try #require(mirror.values[try StateKey(key)] == now, "seed \(seed), since \(since), key \(key)")
      }
    }
  }

  /// A mirror that has what the model says was there at a revision.
  private func mirror(_ run: Run, at revision: Revision) throws -> StateMirror {
    var mirror = StateMirror()
    let past = run.harness.replayed(upTo: revision)
    let page = past.state.changes(
      since: 0, position: 0, isSnapshot: true, query: ChangesQuery(since: .beginning), head: revision,
      epoch: past.epoch, agents: past.agents)
    try mirror.apply(page)
    for (key, type) in Run.keys {
      try #require(mirror.values[try StateKey(key)] == run.model.value(of: key, type: type, at: revision))
    }
    return mirror
  }

  @Test("§5.4 §4.7 following gives the state; an entry that changes nothing is no change", arguments: 0..<16)
  func liveChangesGiveTheState(seed: Int) throws {
    var run = Run(seed: UInt64(2_000 + seed))
    for _ in 0..<100 {
      let before = Run.keys.map { run.harness.value($0.name) }
      let revisions = Run.keys.map { run.harness.reading($0.name)?.revision }
      try run.step()
      let changes = try #require(run.harness.changes.last)
      try run.live.apply(
        ChangeBatch(
          after: run.harness.core.revision - 1, cursor: run.harness.cursor, agent: nil, timestamp: nil,
          changes: changes, isSnapshot: false))
      for (index, (key, _)) in Run.keys.enumerated() {
        let stateKey = try StateKey(key)
        let now = run.harness.value(key)
        try #require(run.live.values[stateKey] == now, "seed \(seed), key \(key)")
        let wasRecreated = changes.contains { change in
          guard change.key == stateKey, case .value = change.content else { return false }
          return true
        }
        if before[index] == now, !wasRecreated {
          try #require(run.harness.reading(key)?.revision == revisions[index], "seed \(seed), key \(key)")
        }
      }
    }
  }

  @Test("§10.1 replaying the journal gives the same state, outcomes and chain hash", arguments: 0..<8)
  func replayEqualsLive(seed: Int) throws {
    var run = Run(seed: UInt64(3_000 + seed))
    for _ in 0..<150 { try run.step() }
    let replay = run.harness.replayed()
    #expect(replay.chain == run.harness.core.chain)
    for (key, _) in Run.keys {
      let key = try StateKey(key)
      #expect(
        replay.state.reading(of: key, agents: replay.agents, cursor: run.harness.cursor)
          == run.harness.core.state.reading(of: key, agents: run.harness.core.agents, cursor: run.harness.cursor))
    }
  }
}
