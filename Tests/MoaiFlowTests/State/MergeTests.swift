import MoaiCRDT
import Testing

@testable import MoaiFlow

/// What happens when writers had not seen each other (rules §4.2, §4.3).
@Suite struct MergeTests {
  private func key(_ name: String) throws -> StateKey { try StateKey(name) }

  @Test("§4.2 of concurrent assignments the last is shown; the strategy vector shows the others beside it")
  func siblings() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign("base"), strategy: .vector)
    try harness.write("r", .assign("a"), by: "alice", base: 1)
    try harness.write("r", .assign("b"), by: "bob", base: 1)
    try harness.write("r", .assign("c"), by: "carol", base: 1)
    #expect(harness.value("r") == "c")
    #expect(harness.reading("r")?.siblings == ["a", "b"])
    // Whoever saw a and b replaces them; c entered later and stays.
    try harness.write("r", .assign("d"), by: "dave", base: 3)
    #expect(harness.value("r") == "d")
    #expect(harness.reading("r")?.siblings == ["c"])
    try harness.write("r", .assign("all"), by: "erin")
    #expect(harness.reading("r")?.siblings == nil)
  }

  @Test("§4.2 a field of a map keeps its own siblings; under lww they are kept but not shown")
  func fieldSiblings() throws {
    var harness = CoreHarness()
    for strategy in KeyStrategy.allCases {
      let name = "m/\(strategy)"
      let base = harness.core.revision
      try harness.write(name, .put("f", 1), by: "alice", base: base, strategy: strategy)
      try harness.write(name, .put("f", 2), by: "bob", base: base)
      try harness.write(name, .put("g", 3), by: "bob", base: base)
      #expect(harness.value(name) == ["f": 2, "g": 3])
      #expect(harness.reading(name)?.siblings == (strategy == .vector ? ["f": [1]] : nil))
      // Removing with a base that saw only the first: the second stays.
      try harness.write(name, .removeField("f"), by: "carol", base: base + 1)
      #expect(harness.value(name) == ["f": 2, "g": 3])
      #expect(harness.reading(name)?.siblings == nil)
    }
  }

  @Test("§4.2 at most 16 siblings are shown, and writes beyond the swarm's limit are refused until somebody reads")
  func siblingLimits() throws {
    var harness = CoreHarness()
    for index in 100..<164 { try harness.write("r", .assign(.int(Int64(index))), base: 0, strategy: .vector) }
    #expect(harness.reading("r")?.siblings == .array((100..<116).map { .int($0) }))
    #expect(throws: Refusal.state(.tooManySiblings(try key("r"), limit: 64))) {
      try harness.write("r", .assign(64), base: 0)
    }
    #expect(harness.value("r") == 163)
    try harness.write("r", .assign(65), base: 40)
    try harness.write("r", .assign(66))
    #expect(harness.reading("r")?.siblings == nil)
  }

  @Test("§4.2 a write that had seen nothing changes the view only where it is the greatest")
  func equalSiblingsAreOne() throws {
    var harness = CoreHarness()
    for value in ["x", "y", "x"] as [StateValue] { try harness.write("r", .assign(value), base: 0, strategy: .vector) }
    #expect(harness.value("r") == "x")
    #expect(harness.reading("r")?.siblings == ["y"])
  }

  @Test("§4.2 an add wins over a remove that had not seen it")
  func addWinsOverUnseenRemove() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("s", .remove("x"), by: "bob", base: 0)
    #expect(harness.value("s") == ["x"])
    try harness.write("s", .remove("x"), by: "bob", base: 1)
    #expect(harness.value("s") == [])
  }

  @Test("§4.2 an add wins over an unseen remove even where it found the element already there")
  func addThatChangesNothingStillProtects() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    let result = try harness.write("s", .add("x"), by: "bob")
    #expect(!result.changed)
    #expect(result.revision == 1)
    // Carol saw alice's add, not bob's.
    let removal = try harness.write("s", .remove("x"), by: "carol", base: 1)
    #expect(!removal.changed)
    #expect(harness.value("s") == ["x"])
    #expect(harness.reading("s")?.revision == 1)
    #expect(try harness.write("s", .remove("x"), by: "carol", base: 2).changed)
    #expect(harness.value("s") == [])
  }

  @Test("§4.2 the same holds for a field that is put again with the value that it has")
  func putThatChangesNothingStillProtects() throws {
    var harness = CoreHarness()
    try harness.write("m", .put("f", 1), by: "alice")
    #expect(try !harness.write("m", .put("f", 1), by: "bob").changed)
    try harness.write("m", .removeField("f"), by: "carol", base: 1)
    #expect(harness.value("m") == ["f": 1])
  }

  @Test("§4.2 the protection survives a restart from a checkpoint")
  func protectionIsPartOfTheCheckpoint() async throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    _ = harness.checkpoint()
    try harness.write("s", .add("x"), by: "bob")
    #expect(harness.checkpoint().upserted.contains { $0.position.id == Array("s".utf8) })
  }

  @Test("§4.2 counters add up increments per agent, of either sign")
  func counters() throws {
    var harness = CoreHarness()
    for (agent, amount) in [("alice", 5), ("bob", -8), ("alice", -5), ("carol", 0)] as [(String, Int64)] {
      try harness.write("c", .increment(amount), by: agent)
    }
    #expect(harness.value("c") == -8)
    #expect(harness.reading("c")?.version == 3)
    try harness.write("c", .share(100), by: "bob")
    #expect(harness.value("c") == 100)
  }

  @Test("§4.2 an operation that would leave 64 bits is refused, whether the share or the sum would")
  func overflow() throws {
    var harness = CoreHarness()
    let refusal = Refusal.state(.counterOverflow(try key("c")))
    try harness.write("c", .increment(.max), by: "alice")
    #expect(throws: refusal) { try harness.write("c", .increment(1), by: "alice") }
    #expect(throws: refusal) { try harness.write("c", .increment(1), by: "bob") }
    try harness.write("c", .increment(.min), by: "bob")
    #expect(harness.value("c") == -1)
    #expect(throws: refusal) { try harness.write("c", .increment(-1), by: "bob") }
    try harness.write("c", .share(.max), by: "carol")
    #expect(harness.value("c") == .int(.max - 1))
    #expect(throws: refusal) { try harness.write("c", .operations([.increment(1), .increment(1)]), by: "dave") }
    #expect(harness.value("c") == .int(.max - 1))
    #expect(harness.replayed().chain == harness.core.chain)
  }

  @Test("§4.3 without a base a single operation means now")
  func baseDefaultsToNow() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("s", .add("y"), by: "bob")
    try harness.write("s", .operations([.remove("x"), .remove("y")]), by: "carol")
    #expect(harness.value("s") == [])
  }

  @Test("§4.3 an earlier operation of the same entry is visible whatever the base")
  func earlierOperationsAreVisible() throws {
    var harness = CoreHarness()
    try harness.write("s", .operations([.add("x"), .remove("x"), .add("y")]), base: 0)
    #expect(harness.value("s") == ["y"])
    try harness.write("m", .operations([.put(field: "f", 1), .put(field: "f", 2)]), base: 0, strategy: .vector)
    #expect(harness.value("m") == ["f": 2])
    #expect(harness.reading("m")?.siblings == nil)
    // Also across two writes of one entry on the same key.
    let key = try key("s")
    try harness.write(
      [WriteRequest(key, .add("z"), base: .revision(0)), WriteRequest(key, .remove("z"), base: .revision(0))],
      by: "alice")
    #expect(harness.value("s") == ["y"])
  }

  @Test("§4.3 a base from the future is refused, also one that only the entry itself could reach")
  func futureBase() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"))
    #expect(throws: SwarmError.futureRevision(2, head: 1)) { try harness.write("s", .remove("x"), base: 2) }
    #expect(throws: SwarmError.futureRevision(9, head: 1)) { try harness.write("s", .value([]), base: 9) }
    // An entry of another hub that was never planned here.
    let write = KeyWrite(key: try key("s"), content: .operations([.remove("x")]), base: 9)
    let outcome = harness.apply(.state(.write([write])), by: "alice")
    #expect(outcome.result == .refused(.state(.futureBase(try key("s"), 9))))
    #expect(harness.value("s") == ["x"])
  }

  @Test("§4.3 a base of another epoch is refused, one of this epoch counts, a negative one is no revision")
  func basesNameTheirEpoch() throws {
    var harness = CoreHarness(epoch: 5)
    try harness.write("s", .add("x"))
    func remove(_ base: RevisionReference) throws -> WriteRequest {
      WriteRequest(try key("s"), .remove("x"), base: base)
    }
    #expect(throws: SwarmError.self) {
      try harness.write([try remove(.cursor(Cursor(epoch: Epoch(6), revision: 1)))], by: "alice")
    }
    #expect(throws: SwarmError.invalid(field: "/base", "-1 is no revision")) {
      try harness.write([try remove(.revision(-1))], by: "alice")
    }
    #expect(harness.value("s") == ["x"])
    try harness.write([try remove(.cursor(Cursor(epoch: Epoch(5), revision: 1)))], by: "alice")
    #expect(harness.value("s") == [])
  }

  @Test("§4.3 every reading gives the revision to use as base")
  func readingsGiveTheBase() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"))
    try harness.write("other", .assign(1))
    #expect(harness.reading("s")?.cursor == Cursor(epoch: Epoch(0xE), revision: 2))
    #expect(harness.reading("s")?.revision == 1)
  }

  @Test("§2.1 an element or field that would make the value deeper than a value may be is refused")
  func partsCountAsALevel() throws {
    var harness = CoreHarness()
    func nested(_ levels: Int) -> StateValue { (0..<levels).reduce(1) { value, _ in .array([value]) } }
    try harness.write("r", .assign(nested(64)))
    try harness.write("s", .add(nested(63)))
    try harness.write("m", .put("f", nested(63)))
    for content in [.add(nested(64)), .put("f", nested(64)), .assign(nested(65))] as [WriteRequest.Content] {
      #expect(throws: SwarmError.self) { try harness.write("new", content) }
    }
    #expect(harness.value("s")?.depth == 64)
  }

  @Test("§2.1 a number that is not finite is refused in any place", arguments: [Double.nan, .infinity, -.infinity])
  func numbersAreFinite(number: Double) {
    var harness = CoreHarness()
    let value = StateValue.double(number)
    for content in [
      .add(value), .add([value]), .put("f", ["g": value]), .assign(value), .value([value]), .remove(value),
    ] as [WriteRequest.Content] {
      #expect(throws: SwarmError.self) { try harness.write("k", content) }
    }
    #expect(harness.core.revision == 0)
  }
}
