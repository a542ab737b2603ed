import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Who changed a key, when and how.
@Suite(.patience) struct HistoryTests {
  let bench: SwarmBench
  let swarm: Swarm
  let alice: SwarmMember
  let bob: SwarmMember

  init() async throws {
    bench = try await SwarmBench()
    swarm = try await bench.open()
    alice = try await swarm.join(as: "alice")
    bob = try await swarm.join(as: "bob")
  }

  @Test("§6.1 history gives every change, newest first, across deletions; not what was refused or changed nothing")
  func everyChange() async throws {
    try await alice.state.set("k", to: [1], type: .set)
    try await bob.state.add(1, to: "k")
    _ = await swarmError { try await bob.state.increment("k") }
    try await bob.state.increment("other")
    try await bob.state.delete("k")
    try await alice.state.set("k", to: ["f": 1], type: .map)
    try await bob.state.rewind(RewindRequest(.revision(.revision(6))))
    let page = try await swarm.state.history(of: "k")
    #expect(page.changes.map(\.revision) == [7, 6, 5, 1])
    #expect(page.changes.map(\.agent.name) == ["bob", "alice", "bob", "alice"])
    #expect(page.changes.map(\.isCreation) == [false, true, false, true])
    #expect(page.changes.map(\.content) == [.deleted, .value(["f": 1]), .deleted, .value([1])])
    #expect(page.changes.map(\.rewind) == [.revision(6), nil, nil, nil])
    #expect(page.changes.map(\.version) == [2, 1, 2, 1])
    #expect(page.next == nil)
    #expect(page.horizon == 0)
  }

  @Test("§6.1 history comes in pages that fit together", arguments: [1, 2, 3, 7, 20])
  func pages(limit: Int) async throws {
    for value in 1...20 {
      try await alice.state.increment("c", by: Int64(value))
      try await bob.state.increment("other")
    }
    var revisions: [Revision] = []
    var before: RevisionReference?
    repeat {
      let page = try await swarm.state.history(of: "c", limit: limit, before: before)
      #expect(page.changes.count <= limit)
      revisions += page.changes.map(\.revision)
      before = page.next.map { .revision($0) }
    } while before != nil
    let expected: [Revision] = stride(from: 39, through: 1, by: -2).map { $0 }
    #expect(revisions == expected)
  }

  @Test("§6.1 a key that never was has no history")
  func absentKeys() async throws {
    try await alice.state.increment("c")
    #expect(try await swarm.state.history(of: "nobody").changes.isEmpty)
    #expect(try await swarm.state.explain("nobody") == nil)
    let limit = await swarmError { _ = try await swarm.state.history(of: "c", limit: 0) }
    #expect(limit == .invalid(field: "/limit", "0 is no limit"))
    let future = await swarmError { _ = try await swarm.state.history(of: "c", before: .revision(9)) }
    #expect(future == .futureRevision(9, head: 1))
  }

  @Test("§6.1 the changes of a history lead from nothing to each value in turn", arguments: 0..<20)
  func historyLeadsToTheValue(seed: Int) async throws {
    var run = try await RewindRun(seed: UInt64(40_000 + seed))
    for step in 0..<50 {
      if step % 9 == 8 { _ = try await run.rewind(try run.randomRequest()) } else { try await run.write() }
    }
    for key in RewindRun.keys {
      var reader = HistoryReader(key: key, limit: 1_000)
      try await reader.read(run.journal, from: 0, through: run.core.revision)
      var value: StateValue?
      for change in reader.page(horizon: 0, head: 0).changes.reversed() {
        switch change.content {
        case .deleted: value = nil
        case .value(let new): value = new
        case .operations(let operations): value = try #require(StateValue.applying(operations, to: value))
        }
        let past = try await SwarmState.past(of: run.journal, at: change.revision)
        let then = past.state.reading(of: key, agents: past.agents, cursor: Cursor(epoch: past.epoch, revision: 0))
        try #require(value == then?.value, "seed \(seed), key \(key), revision \(change.revision)")
        if let then { try #require(then.version == change.version) }
      }
      #expect(value == run.reading(key)?.value)
    }
  }
}
