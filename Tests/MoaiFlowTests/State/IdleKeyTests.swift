import MoaiCRDT
import Testing

@testable import MoaiFlow

/// Keys that go because nobody changes them (rule §4.1, retention).
@Suite struct IdleKeyTests {
  private func harness(idle: Int64 = 1_000) -> CoreHarness {
    var harness = CoreHarness()
    let policy = KeyPolicy(pattern: GlobPattern("tmp/*"), idleMilliseconds: idle)
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    return harness
  }

  @Test("§4.1 a key that nobody changed for as long as its policy keeps it is deleted by the journal, and reported")
  func deletion() throws {
    var harness = harness()
    try harness.write("tmp/a", .increment(1))
    try harness.write("kept", .increment(1))
    harness.now += 999
    try harness.write("tmp/b", .increment(1))
    #expect(harness.value("tmp/a") == 1)
    harness.now += 1
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.value("tmp/a") == nil)
    #expect(harness.value("tmp/b") == 1)
    #expect(harness.value("kept") == 1)
    let change = try #require(harness.changes.last?.first)
    #expect(change.content == .deleted)
    #expect(change.agent == .journal)
    #expect(harness.changes(since: 4).changes.map(\.content) == [.deleted])
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.1 a change puts the end off, a write of what is there does not")
  func putOff() throws {
    var harness = harness()
    try harness.write("tmp/a", .assign("x"))
    harness.now += 600
    try harness.write("tmp/a", .assign("y"))
    harness.now += 600
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.value("tmp/a") == "y")
    try harness.write("tmp/a", .assign("y"))
    harness.now += 400
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.value("tmp/a") == nil)
  }

  @Test(
    "§4.1 the entry that lets a key expire may write it again: that is a new incarnation, and a condition sees none")
  func writtenByTheSameEntry() throws {
    var harness = harness()
    try harness.write("tmp/a", .add("old"))
    try harness.write("tmp/b", .add("old"))
    harness.now += 2_000
    let result = try harness.write("tmp/a", .add("new"), ifRevision: 0)
    #expect(result.changed && result.version == 1)
    #expect(harness.value("tmp/a") == ["new"])
    #expect(harness.changes.last?.map(\.content) == [.deleted, .deleted, .value(["new"])])
    harness.now += 2_000
    let nothing = try harness.write("tmp/a", .remove("new"))
    #expect(!nothing.changed, "the key expired; the removal had nothing to do")
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.1 a refused entry lets keys expire too; its refusal takes nothing of that back")
  func refusedEntry() throws {
    var harness = harness()
    try harness.write("tmp/a", .add("x"))
    try harness.write("c", .increment(1))
    harness.now += 2_000
    #expect(throws: Refusal.self) { try harness.write("c", .add("x")) }
    #expect(harness.value("tmp/a") == nil)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.1 a state loaded from a checkpoint lets the same keys go at the same entries, in the same order")
  func loaded() throws {
    var harness = harness()
    for name in ["tmp/z", "tmp/m", "tmp/a"] { try harness.write(name, .increment(1)) }
    harness.now += 500
    try harness.write("tmp/m", .increment(1))
    var loader = CheckpointLoader(epoch: harness.core.epoch)
    let checkpoint = harness.core.wholeCheckpoint()
    for record in checkpoint.upserted.sorted(by: { $0.position < $1.position }) { try loader.take(record) }
    var loaded = CoreHarness(
      try loader.finish(CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header)))
    for step in [500, 1, 499, 1_000] {
      harness.now += Int64(step)
      loaded.now = harness.now
      let id = CommandID(high: 9, low: UInt64(step) << 8 | UInt64(harness.core.revision))
      harness.apply(.journal(.tick), by: "journal", id: id)
      loaded.apply(.journal(.tick), by: "journal", id: id)
      #expect(loaded.core.chain == harness.core.chain)
      #expect(loaded.core.fingerprint.records == harness.core.fingerprint.records)
    }
    #expect(harness.value("tmp/m") == nil)
  }

  @Test("§4.1 a policy that comes or goes counts for the keys that are there")
  func policiesChange() throws {
    var harness = CoreHarness()
    try harness.write("tmp/a", .increment(1))
    harness.now += 5_000
    let policy = KeyPolicy(pattern: GlobPattern("tmp/*"), idleMilliseconds: 6_000)
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    #expect(harness.value("tmp/a") == 1)
    harness.apply(.settings(.replace(SwarmSettings())), by: "operator")
    harness.now += 5_000
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.value("tmp/a") == 1)
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.value("tmp/a") == nil)
  }
}
