import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite struct DeletionTests {
  @Test("§4.7 writing what is there changes nothing: no new revision, version, author, event")
  func writingWhatIsThere() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(1), by: "alice")
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("m", .put("f", 1), by: "alice")
    try harness.write("r", .assign("x"), by: "alice")
    let readings = ["c", "s", "m", "r"].map { harness.reading($0) }
    for (key, content) in [
      ("c", .increment(0)), ("c", .share(0)), ("s", .add("x")), ("s", .remove("absent")), ("s", .value(["x"])),
      ("s", .value([])), ("m", .put("f", 1)), ("m", .removeField("absent")), ("m", .value([:])), ("r", .assign("x")),
      ("r", .value("x")), ("s", .operations([.add("y"), .remove("y")])), ("absent", .delete), ("absent", .remove("x")),
      ("absent", .removeField("f")),
    ] as [(String, WriteRequest.Content)] {
      let result = try harness.write(key, content, by: "bob")
      #expect(!result.changed, "\(key) \(content)")
      #expect(harness.changes.last == [])
      #expect(result.revision == harness.reading(key)?.revision ?? 0)
    }
    for (before, after) in zip(readings, ["c", "s", "m", "r"].map { harness.reading($0) }) {
      #expect(after?.revision == before?.revision)
      #expect(after?.version == before?.version)
      #expect(after?.agent == before?.agent)
      #expect(after?.timestamp == before?.timestamp)
    }
    #expect(harness.reading("absent") == nil)
    #expect(harness.changes(since: 4).changes == [])
  }

  @Test("§4.8 deleting removes everything, also what the writer had not seen, and is reported")
  func deleting() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("s", .add("y"), by: "bob")
    let result = try harness.write("s", .delete, by: "carol")
    #expect(result.changed)
    #expect(harness.value("s") == nil)
    let change = try #require(harness.changes.last?.first)
    #expect(change.content == .deleted)
    #expect(change.agent == (try AgentID("carol")))
    #expect(harness.changes(since: 1).changes.map(\.content) == [.deleted])
    #expect(harness.changes(since: 3).changes == [])
    #expect(try !harness.write("s", .delete).changed)
  }

  @Test("§4.8 a key written again is a new incarnation: version from 1, any type, nothing of before")
  func recreation() throws {
    var harness = CoreHarness()
    for element in 0..<5 { try harness.write("k", .add(.int(Int64(element)))) }
    #expect(harness.reading("k")?.version == 5)
    try harness.write("k", .delete)
    try harness.write("k", .increment(3), by: "bob")
    let reading = try #require(harness.reading("k"))
    #expect(reading.version == 1)
    #expect(reading.type == .counter)
    #expect(reading.value == 3)
    #expect(harness.changes.last?.first?.content == .value(3))
    #expect(harness.changes(since: 5).changes.map(\.content) == [.value(3)])
  }

  @Test("§4.8 what was written against the deleted incarnation contributes only its own new writes")
  func oldBasesAfterRecreation() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["old", "x"]), by: "alice", type: .set)
    try harness.write("s", .delete, by: "bob")
    try harness.write("s", .add("x"), by: "bob")
    // Alice saw revision 1: {old, x}. She drops x and adds mine.
    try harness.write("s", .value(["old", "mine"]), by: "alice", base: 1)
    #expect(harness.value("s") == ["mine", "x"])
    try harness.write("s", .remove("x"), by: "alice", base: 1)
    #expect(harness.value("s") == ["mine", "x"])
  }

  @Test("§4.8 what was written against the deleted incarnation is refused if the type is another")
  func oldBasesOfAnotherType() throws {
    var harness = CoreHarness()
    try harness.write("k", .add("x"), by: "alice")
    try harness.write("k", .delete, by: "bob")
    try harness.write("k", .increment(1), by: "bob")
    #expect(throws: Refusal.state(.typeMismatch(try StateKey("k"), holds: .counter, asked: .set))) {
      try harness.write("k", .operations([.add("y")]), by: "alice", base: 1)
    }
  }

  @Test("§4.8 deleted and written again in one entry is a new incarnation and one change")
  func replacedInOneEntry() throws {
    var harness = CoreHarness()
    try harness.write("k", .value(["a", "b"]), type: .set)
    let key = try StateKey("k")
    try harness.write([WriteRequest(key, .delete), WriteRequest(key, .add("c"))], by: "bob")
    #expect(harness.value("k") == ["c"])
    #expect(harness.reading("k")?.version == 1)
    #expect(harness.changes.last?.map(\.content) == [.value(["c"])])
    #expect(harness.changes(since: 1).changes.map(\.content) == [.value(["c"])])
    try harness.write([WriteRequest(key, .add("d")), WriteRequest(key, .delete)], by: "bob")
    #expect(harness.value("k") == nil)
    #expect(harness.changes.last?.map(\.content) == [.deleted])
  }

  @Test("§4.8 a key that one entry makes and deletes was never there")
  func madeAndDeletedInOneEntry() throws {
    var harness = CoreHarness()
    let key = try StateKey("k")
    try harness.write([WriteRequest(key, .add("c")), WriteRequest(key, .delete)], by: "bob")
    #expect(harness.value("k") == nil)
    #expect(harness.changes.last == [])
    #expect(harness.changes(since: 0).changes == [])
    #expect(harness.keys() == [])
    try harness.write("k", .increment(1), ifRevision: 0)
    #expect(harness.keys() == ["k"])
  }

  @Test("keys are listed in the order of their bytes, after deletion and return once, in any pages")
  func listing() throws {
    var harness = CoreHarness()
    for name in ["b", "a/2", "\u{E9}", "a/1", "a", "c", "e\u{301}", "a/10"] { try harness.write(name, .assign(1)) }
    let sorted = ["a", "a/1", "a/10", "a/2", "b", "c", "e\u{301}", "\u{E9}"]
    #expect(harness.keys().map { Array($0.utf8) } == sorted.map { Array($0.utf8) })
    try harness.write("b", .delete)
    try harness.write("0", .assign(1))
    #expect(!harness.keys().contains("b"))
    try harness.write("b", .assign(1))
    try harness.write("b", .delete)
    try harness.write("b", .assign(1))
    #expect(harness.keys().map { Array($0.utf8) } == (["0"] + sorted).map { Array($0.utf8) })
    #expect(harness.keys(prefix: "a/") == ["a/1", "a/10", "a/2"])
    #expect(harness.keys(prefix: "a/1") == ["a/1", "a/10"])
    #expect(harness.keys(prefix: "zz") == [])
    #expect(harness.keys(pageSize: 1) == harness.keys())
    #expect(harness.keys(pageSize: 3) == harness.keys())
  }
}
