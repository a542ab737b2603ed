import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The state facet against ``NaiveState``, on random histories from a seed.
@Suite struct StateModelTests {
  @Test("§4.2 §4.3 §4.4 §4.8 every value is what the naive model says, at every step", arguments: 0..<24)
  func valuesAgreeWithTheModel(seed: Int) throws {
    var run = StateRun(seed: UInt64(seed), isLarge: seed % 4 == 3)
    for _ in 0..<120 {
      try run.step()
      for (key, type) in StateRun.keys {
        let expected = run.model.value(of: key, type: type, at: run.harness.core.revision)
        try #require(
          run.harness.value(key) == expected, "seed \(seed), revision \(run.harness.core.revision), key \(key)")
      }
    }
  }

  @Test("§5.3 changes since any revision turn the value then into the value now, in any pages", arguments: 0..<10)
  func changesLeadFromThenToNow(seed: Int) throws {
    var run = StateRun(seed: UInt64(1_000 + seed), isLarge: seed % 4 == 3)
    for _ in 0..<100 { try run.step() }
    for since in stride(from: Revision(0), through: run.harness.core.revision, by: 4) {
      var mirror = try mirror(run, at: since)
      var position: Revision? = since
      while let from = position {
        let page = run.harness.changes(
          since: since, position: from, limit: 1 + run.random.below(4), maxBytes: 1 + run.random.below(2_000))
        try mirror.apply(page)
        position = page.next?.position
      }
      for (key, type) in StateRun.keys {
        let now = run.model.value(of: key, type: type, at: run.harness.core.revision)
        try #require(mirror.values[try StateKey(key)] == now, "seed \(seed), since \(since), key \(key)")
      }
    }
  }

  /// A mirror that has what the model says was there at a revision.
  private func mirror(_ run: StateRun, at revision: Revision) throws -> StateMirror {
    var mirror = StateMirror()
    let past = run.harness.replayed(upTo: revision)
    let page = past.state.changes(
      since: 0, position: 0, began: revision, isSnapshot: true, query: ChangesQuery(since: .beginning), head: revision,
      epoch: past.epoch, agents: past.agents)
    try mirror.apply(page)
    for (key, type) in StateRun.keys {
      try #require(mirror.values[try StateKey(key)] == run.model.value(of: key, type: type, at: revision))
    }
    return mirror
  }

  @Test("§5.4 §4.7 following gives the state; an entry that changes nothing is no change", arguments: 0..<16)
  func liveChangesGiveTheState(seed: Int) throws {
    var run = StateRun(seed: UInt64(2_000 + seed))
    for _ in 0..<100 {
      let before = StateRun.keys.map { run.harness.value($0.name) }
      let revisions = StateRun.keys.map { run.harness.reading($0.name)?.revision }
      try run.step()
      let changes = try #require(run.harness.changes.last)
      try run.live.apply(
        ChangeBatch(
          after: run.harness.core.revision - 1, cursor: run.harness.cursor, agent: nil, timestamp: nil,
          changes: changes, isSnapshot: false, isFirst: true))
      for (index, (key, _)) in StateRun.keys.enumerated() {
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
    var run = StateRun(seed: UInt64(3_000 + seed))
    for _ in 0..<150 { try run.step() }
    let replay = run.harness.replayed()
    #expect(replay.chain == run.harness.core.chain)
    for (key, _) in StateRun.keys {
      let key = try StateKey(key)
      #expect(
        replay.state.reading(of: key, agents: replay.agents, cursor: run.harness.cursor)
          == run.harness.core.state.reading(of: key, agents: run.harness.core.agents, cursor: run.harness.cursor))
    }
  }
}
