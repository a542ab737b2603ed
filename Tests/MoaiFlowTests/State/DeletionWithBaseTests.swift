import MoaiCRDT
import Testing

@testable import MoaiFlow

/// Deletes by writers who had not seen everything (rules §4.3, §4.8; decision 0008).
@Suite struct DeletionWithBaseTests {
  @Test("§4.8 a delete with a base removes what its writer had seen; what came since stays")
  func unseenWritesStay() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("s", .add("y"), by: "bob")
    let set = try harness.write("s", .delete, by: "carol", base: 1)
    #expect(set.changed)
    #expect(harness.value("s") == ["y"])
    try harness.write("m", .put("f", 1), by: "alice")
    let base = harness.core.revision
    try harness.write("m", .put("f", 2), by: "bob", base: 0)
    try harness.write("m", .put("g", 3), by: "bob")
    try harness.write("m", .delete, by: "carol", base: base)
    #expect(harness.value("m") == ["f": 2, "g": 3])
    try harness.write("r", .assign("old"), by: "alice")
    let seen = harness.core.revision
    try harness.write("r", .assign("new"), by: "bob")
    #expect(try !harness.write("r", .delete, by: "carol", base: seen).changed)
    #expect(harness.value("r") == "new")
  }

  @Test("§4.8 a delete by who has seen everything removes the key, whatever its type")
  func everythingSeen() throws {
    for content in [.increment(3), .add("x"), .put("f", 1), .assign("v")] as [WriteRequest.Content] {
      var harness = CoreHarness()
      try harness.write("k", content, by: "alice")
      #expect(try harness.write("k", .delete, by: "bob", base: 1).changed)
      #expect(harness.value("k") == nil)
    }
    var harness = CoreHarness()
    try harness.write("s", .value([]), type: .set)
    #expect(try harness.write("s", .delete, base: 1).changed)
  }

  @Test("§4.8 increments have no dots: a counter that others counted on since stays whole, one's own counts are seen")
  func counters() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(10), by: "alice")
    try harness.write("c", .increment(5), by: "bob")
    #expect(try !harness.write("c", .delete, by: "alice", base: 1).changed)
    #expect(harness.value("c") == 15)
    try harness.write("c", .increment(1), by: "alice")
    #expect(try !harness.write("c", .delete, by: "alice", base: 1).changed, "bob's increment is still unseen")
    #expect(try harness.write("c", .delete, by: "alice", base: 3).changed, "only her own came since")
    #expect(harness.value("c") == nil)
  }

  @Test("§4.8 what was written against a deleted incarnation adds its own writes to the new one, and takes nothing")
  func oldIncarnation() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["a", "b"]), by: "alice", type: .set)
    let base = harness.core.revision
    try harness.write("s", .delete, by: "bob")
    try harness.write("s", .value(["a", "n"]), by: "bob", type: .set)
    #expect(harness.reading("s")?.version == 1)
    try harness.write("s", .value(["b", "c"]), by: "carol", base: base)
    #expect(
      harness.value("s") == ["a", "c", "n"], "b was there at the base: only c is new; the removal of a saw nothing")
    #expect(try !harness.write("s", .delete, by: "carol", base: base).changed)
    #expect(harness.value("s") == ["a", "c", "n"])
    let error = #expect(throws: Refusal.self) { try harness.write("s", .put("f", 1), by: "carol", base: base) }
    #expect(error == .state(.typeMismatch(try StateKey("s"), holds: .set, asked: .map)))
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.8 a counter counted on against its deleted incarnation gives the new one the difference")
  func oldCounter() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(10), by: "alice")
    try harness.write("c", .delete, by: "bob")
    try harness.write("c", .increment(1), by: "bob")
    try harness.write("c", .value(13), by: "carol", base: 1)
    #expect(harness.value("c") == 4)
  }
}
