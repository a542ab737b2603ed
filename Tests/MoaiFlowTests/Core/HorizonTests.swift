import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite("the horizon moves by an entry")
struct HorizonTests {
  private func refusal(_ outcome: Outcome) -> Refusal? {
    if case .refused(let refusal) = outcome.result { refusal } else { nil }
  }

  private func base(_ revision: Revision, _ key: String = "s") throws -> Command {
    .state(.write([KeyWrite(key: try StateKey(key), content: .operations([.remove("x")]), base: revision)]))
  }

  @Test("§4.3 a base before the horizon is refused when it is applied; at the horizon and behind it, it holds")
  func basesAtApply() throws {
    var harness = CoreHarness()
    for _ in 0..<9 { try harness.write("s", .add("x")) }
    #expect(harness.apply(.journal(.trim(to: 5)), by: "journal").result == .journal)
    let value = harness.value("s")
    for before in [0, 1, 4] as [Revision] {
      #expect(
        refusal(harness.apply(try base(before), by: "alice"))
          == .state(.baseTrimmed(try StateKey("s"), base: before, horizon: 5)))
    }
    #expect(harness.value("s") == value)
    for kept in [5, 6, 10] as [Revision] {
      #expect(refusal(harness.apply(try base(kept), by: "alice")) == nil)
    }
    #expect(harness.value("s") == [])
  }

  @Test("§4.3 the planner refuses a base before the horizon too, as trimmed")
  func basesInThePlanner() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"))
    let planner = StatePlanner(
      state: harness.core.state, agents: harness.core.agents, settings: SwarmSettings(), epoch: harness.core.epoch,
      head: 20, horizon: 10)
    let key = try StateKey("s")
    #expect(throws: SwarmError.trimmed("the base 9 lies before the horizon 10; read again")) {
      try planner.plan(WriteRequest(key, .value(["y"]), base: .revision(9)), field: "")
    }
    _ = try planner.plan(WriteRequest(key, .value(["y"]), base: .revision(10)), field: "")
    _ = try planner.plan(WriteRequest(key, .value(["y"]), ifRevision: .revision(1)), field: "")
  }

  @Test("§4.5 a condition on a revision before the horizon holds as long as the key has it")
  func conditionsReachFurther() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"))
    try harness.write("other", .add("x"))
    harness.apply(.journal(.trim(to: 2)), by: "journal")
    try harness.write("s", .add("y"), ifRevision: 1)
    #expect(harness.value("s") == ["x", "y"])
  }

  @Test("it moves to what was there before, never beyond, and never back")
  func moves() throws {
    var harness = CoreHarness()
    for _ in 0..<5 { try harness.write("s", .add("x")) }
    #expect(
      refusal(harness.apply(.journal(.trim(to: 6)), by: "journal")) == .journal(.notThere(6, head: 5)))
    #expect(harness.core.horizon == Horizon())
    harness.apply(.journal(.trim(to: 6)), by: "journal")
    #expect(harness.core.horizon == Horizon(revision: 6, movedAt: 7))
    #expect(harness.apply(.journal(.trim(to: 3)), by: "journal").result == .journal)
    #expect(harness.core.horizon == Horizon(revision: 6, movedAt: 7))
  }

  @Test("§10.1 it is part of the state: replays and checkpoints have it")
  func isPartOfTheState() async throws {
    var harness = CoreHarness()
    for number in 0..<6 { try harness.write("s", .add(.int(Int64(number)))) }
    harness.apply(.journal(.trim(to: 4)), by: "journal")
    harness.apply(.journal(.tick), by: "journal")
    harness.apply(.journal(.skip(SkippedEntry(hash: 7, reason: "it was torn"))), by: "operator")
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
    let checkpoint = harness.checkpoint()
    var loader = CheckpointLoader(epoch: harness.core.epoch)
    for record in checkpoint.upserted { try loader.take(record) }
    let loaded = try loader.finish(CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header))
    #expect(loaded.fingerprint == harness.core.fingerprint)
    #expect(loaded.horizon.revision == 4)
    let whole = harness.core.wholeCheckpoint()
    #expect(Set(whole.upserted) == Set(checkpoint.upserted))
    #expect(whole.header == checkpoint.header)
  }

  @Test(
    "entries about the journal survive their bytes",
    arguments: [
      .trim(to: 0), .trim(to: 1 << 46), .tick, .skip(SkippedEntry(hash: nil, reason: "")),
      .skip(SkippedEntry(hash: .max, reason: String(repeating: "é", count: 2_000))),
    ] as [JournalCommand])
  func encoding(command: JournalCommand) throws {
    let entry = Entry(
      author: .journal, id: CommandID(high: 1, low: 2), requestHash: 3, command: .journal(command))
    #expect(try Entry(decoding: entry.encoded()) == entry)
  }
}
