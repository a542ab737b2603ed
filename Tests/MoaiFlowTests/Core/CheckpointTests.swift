import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// What a swarm is worth after a restart: checkpoint and tail give what replay gives (rule §10.1).
@Suite struct CheckpointTests {
  private func journal(_ entries: [JournalEntry], epoch: Epoch) async throws -> any Journal {
    let store = InMemoryStore(now: { 0 }, newEpoch: { epoch })
    return try await store.restore(try SwarmName("copy"), entries: entries)
  }

  @Test("§10.1 checkpoints saved or lost at random, then the tail, give what replay gives", arguments: 0..<12)
  func checkpointAndTailEqualReplay(seed: Int) async throws {
    var run = StateRun(seed: UInt64(7_000 + seed), isLarge: seed % 3 == 0)
    var saved: [CheckpointUpdate] = []
    for step in 0..<160 {
      try run.step()
      if step % 40 == 17 {
        run.harness.now += 13 * 60 * 60 * 1000
        var settings = SwarmSettings()
        settings.limits.siblings = 30 + step
        run.harness.apply(.settings(.replace(settings)), by: "operator")
      }
      switch run.random.below(12) {
      case 0: saved.append(run.harness.checkpoint())
      case 1: try run.loseCheckpoint()
      default: break
      }
    }
    let journal = try await journal(run.harness.journal, epoch: run.harness.core.epoch)
    for update in saved { try await journal.save(update) }
    var loaded = try await SwarmState.loading(from: journal, pageSize: 1 + run.random.below(20))
    try await loaded.replay(journal)
    let live = run.harness.core
    #expect(loaded.fingerprint == live.fingerprint)
    #expect(loaded.fingerprint == run.harness.replayed().fingerprint)
    for entry in run.harness.journal.suffix(60) {
      let command = try Entry(decoding: entry.payload)
      #expect(
        loaded.outcome(of: command.id, by: command.author, requestHash: command.requestHash)
          == live.outcome(of: command.id, by: command.author, requestHash: command.requestHash))
    }
    for since in stride(from: Revision(0), through: live.revision, by: 7) {
      let pages = [loaded, live].map { state in
        state.state.changes(
          since: since, position: since, began: 0, isSnapshot: false,
          query: ChangesQuery(since: .beginning, limit: .max),
          head: state.revision, epoch: state.epoch, agents: state.agents
        ).changes.sorted { ($0.revision, $0.key) < ($1.revision, $1.key) }
      }
      #expect(pages[0] == pages[1], "since \(since)")
    }
  }

  @Test("§10.1 a counter whose shares leave 64 bits in another order of agents can be loaded")
  func countersLoadWhateverTheOrderOfShares() async throws {
    var harness = CoreHarness()
    // Numbers of agents follow their first entries: bob before carol, but carol counts down before bob counts up.
    try harness.write("a", .increment(1), by: "alice")
    try harness.write("b", .increment(1), by: "bob")
    try harness.write("huge", .increment(.max), by: "alice")
    try harness.write("huge", .increment(-.max), by: "carol")
    try harness.write("huge", .increment(.max), by: "bob")
    #expect(harness.value("huge") == .int(.max))
    let journal = try await journal(harness.journal, epoch: harness.core.epoch)
    try await journal.save(harness.checkpoint())
    let loaded = try await SwarmState.loading(from: journal)
    #expect(loaded.fingerprint == harness.core.fingerprint)
  }

  @Test("a command forgotten, used again and forgotten again does not come back from a checkpoint")
  func forgottenCommandsStayForgotten() async throws {
    let day: Int64 = 24 * 60 * 60 * 1000
    var harness = CoreHarness()
    let increment = Command.state(
      .write([KeyWrite(key: try StateKey("c"), content: .operations([.increment(1)]))]))
    let id = CommandID(high: 9, low: 9)
    harness.apply(increment, by: "alice", id: id)
    var saved = [harness.checkpoint()]
    harness.now += day
    harness.apply(increment, by: "alice", id: id)
    harness.now += day
    harness.apply(increment, by: "bob")
    saved.append(harness.checkpoint())
    let journal = try await journal(harness.journal, epoch: harness.core.epoch)
    for update in saved { try await journal.save(update) }
    let loaded = try await SwarmState.loading(from: journal)
    #expect(loaded.fingerprint == harness.core.fingerprint)
    #expect(loaded.outcome(of: id, by: try AgentID("alice"), requestHash: 0) == nil)
  }

  @Test("§10.1 a checkpoint that another process saves between two pages of loading is not mixed with the one before")
  func savedBetweenPages() async throws {
    var harness = CoreHarness()
    for name in ["a", "b", "c", "d"] { try harness.write(name, .increment(1)) }
    let first = harness.checkpoint()
    for name in ["a", "d", "e"] { try harness.write(name, .increment(10), by: "bob") }
    let second = harness.checkpoint()
    let journal = FaultyJournal(try await journal(harness.journal, epoch: harness.core.epoch))
    try await journal.save(first)
    journal.willFindSaved(second)
    let loaded = try await SwarmState.loading(from: journal, pageSize: 3)
    #expect(loaded.fingerprint == harness.core.fingerprint)
  }

  @Test("a checkpoint of what changed holds only what changed")
  func checkpointsAreIncremental() throws {
    var harness = CoreHarness()
    for index in 0..<100 { try harness.write("k\(index)", .increment(1)) }
    _ = harness.checkpoint()
    try harness.write("k7", .increment(1))
    let keys = harness.checkpoint().upserted.map(\.position).filter { $0.table == 2 }
    #expect(keys.map(\.id) == [Array("k7".utf8)])
    #expect(harness.checkpoint().upserted.isEmpty)
  }
}
