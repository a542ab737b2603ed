import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite struct WholeValueTests {
  private func overwritten(_ agent: String, _ revision: Revision) throws -> Overwritten {
    Overwritten(agent: try AgentID(agent), revision: revision)
  }

  @Test("§4.4 without a base a whole value adds and puts, and removes nothing")
  func withoutBaseNothingIsRemoved() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["a", "b"]), type: .set)
    try harness.write("s", .value(["b", "c"]))
    #expect(harness.value("s") == ["a", "b", "c"])
    try harness.write("m", .value(["a": 1, "b": 1]), type: .map)
    try harness.write("m", .value(["b": 2, "c": 2]))
    #expect(harness.value("m") == ["a": 1, "b": 2, "c": 2])
  }

  @Test("§4.4 with a base what is absent and was visible is removed, what came since stays")
  func withBase() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["a", "b"]), by: "alice", type: .set)
    try harness.write("s", .add("new"), by: "bob")
    try harness.write("s", .add("a"), by: "carol")
    try harness.write("s", .value(["b", "c"]), by: "alice", base: 1)
    // carol added a again, which alice had not seen.
    #expect(harness.value("s") == ["a", "b", "c", "new"])
    try harness.write("s", .value(["b"]), by: "alice", base: harness.core.revision)
    #expect(harness.value("s") == ["b"])
  }

  @Test("§4.4 with a base a field that the writer did not change is not touched")
  func unchangedFieldsAreNotTouched() throws {
    var harness = CoreHarness()
    try harness.write("m", .value(["mine": 1, "yours": 1, "gone": 1]), by: "alice", type: .map)
    try harness.write("m", .operations([.put(field: "yours", 2), .removeField("gone")]), by: "bob")
    let result = try harness.write("m", .value(["mine": 2, "yours": 1, "gone": 1]), by: "alice", base: 1)
    #expect(harness.value("m") == ["mine": 2, "yours": 2])
    #expect(result.overwrote == [])
  }

  @Test("§4.4 overwrote names whose newer writes are replaced, not the writer's own, and not equal values")
  func overwrote() throws {
    var harness = CoreHarness()
    try harness.write("m", .value(["f": 1, "g": 1]), by: "alice", type: .map)
    try harness.write("m", .put("f", 2), by: "bob")
    try harness.write("m", .put("g", 2), by: "carol")
    let result = try harness.write("m", .value(["f": 3, "g": 3]), by: "alice", base: 1)
    #expect(result.overwrote == [try overwritten("bob", 2), try overwritten("carol", 3)])
    #expect(try harness.write("m", .put("f", 4), by: "bob", base: 1).overwrote == [try overwritten("alice", 4)])

    try harness.write("r", .assign("x"), by: "bob")
    #expect(try harness.write("r", .assign("x"), by: "carol", base: 0).overwrote == [])
    try harness.write("s", .add("x"), by: "bob")
    #expect(try harness.write("s", .add("x"), by: "carol", base: 0).overwrote == [])
  }

  @Test("§4.4 overwrote names at most 16")
  func overwroteIsBounded() throws {
    var harness = CoreHarness()
    for index in 0..<20 { try harness.write("r", .assign(.int(Int64(index))), by: "agent-\(index)", base: 0) }
    let result = try harness.write("r", .assign("z"), base: 0)
    #expect(result.overwrote.count == 16)
    #expect(result.overwrote.first == (try overwritten("agent-0", 1)))
  }

  @Test("§4.4 a set's whole value counts equal elements once and keeps 1 and 1.0 apart")
  func setsOfValues() throws {
    var harness = CoreHarness()
    try harness.write("s", .value([1, 1.0, 1, [1], [1]]), type: .set)
    #expect(harness.value("s") == [1, 1.0, [1]])
  }

  @Test("§4.4 replace without a base removes what was visible when it was accepted")
  func replace() throws {
    var harness = CoreHarness()
    try harness.write("s", .value(["a", "b"]), type: .set)
    try harness.write("s", .value(["b", "c"], replacing: true))
    #expect(harness.value("s") == ["b", "c"])
    try harness.write("m", .value(["a": 1]), type: .map)
    try harness.write("m", .value([:], replacing: true))
    #expect(harness.value("m") == [:])
  }

  @Test("§4.4 over a counter a whole value needs a base, and then means the difference")
  func counters() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(10), by: "alice")
    try harness.write("c", .increment(5), by: "bob")
    do {
      try harness.write("c", .value(20))
      Issue.record("accepted")
    } catch SwarmError.invalid(let field, _) {
      #expect(field == "/base")
    }
    try harness.write("c", .value(12), by: "carol", base: 1)
    #expect(harness.value("c") == 17)
    try harness.write("c", .value(0), by: "carol", base: harness.core.revision)
    #expect(harness.value("c") == 0)
    #expect(throws: SwarmError.self) { try harness.write("c", .value("x"), base: 1) }
    #expect(throws: SwarmError.self) { try harness.write("c", .value(1.0), base: 1) }
    try harness.write("huge", .increment(.min))
    #expect(throws: SwarmError.self) { try harness.write("huge", .value(.int(.max)), base: harness.core.revision) }
  }

  @Test("§4.4 share sets this agent's share of the sum, twice the same changes nothing")
  func share() throws {
    var harness = CoreHarness()
    try harness.write("c", .share(100), by: "alice")
    try harness.write("c", .share(150), by: "bob")
    #expect(try !harness.write("c", .share(100), by: "alice").changed)
    #expect(harness.value("c") == 250)
    try harness.write("c", .share(120), by: "alice")
    #expect(harness.value("c") == 270)
    #expect(throws: Refusal.self) { try harness.write("r", .share(1), type: .register) }
  }

  @Test("§4.4 over a register a whole value replaces what was visible at its base")
  func registers() throws {
    var harness = CoreHarness()
    try harness.write("r", .value("a"), by: "alice", strategy: .vector)
    try harness.write("r", .value("b"), by: "bob")
    let result = try harness.write("r", .value("c"), by: "carol", base: 1)
    #expect(harness.value("r") == "c")
    #expect(harness.reading("r")?.siblings == ["b"])
    #expect(result.overwrote == [try overwritten("bob", 2)])
  }

  @Test("§4.4 a base far behind what the key remembers is looked up in the journal", arguments: [CRDTType.set, .map])
  func basesBehindTheMemory(type: CRDTType) throws {
    var harness = CoreHarness()
    func text(_ index: Int) -> String { "element-\(index)-" + String(repeating: "x", count: 100) }
    func part(_ index: Int) -> WriteRequest.Content {
      type == .set ? .add(.string(UTF8String(text(index)))) : .put(text(index), 1)
    }
    func erase(_ index: Int) -> WriteRequest.Content {
      type == .set ? .remove(.string(UTF8String(text(index)))) : .removeField(text(index))
    }
    for index in 0..<3 { try harness.write("k", part(index)) }
    let seen = try #require(harness.value("k"))
    for index in 3..<200 {
      try harness.write("k", part(index), by: "bob")
      try harness.write("k", erase(index), by: "bob")
    }
    try harness.write("k", erase(1), by: "bob")
    let slot = try #require(harness.core.state.keys.slot(of: try StateKey("k")))
    #expect(harness.core.state.keys[slot].record.recent.reach > 3, "the test is about a base that is forgotten")
    // Alice saw 0, 1, 2 and only adds: nothing of hers brings 1 back, and nothing else goes.
    let wanted: StateValue
    switch seen {
    case .array(let elements): wanted = .array(elements.dropLast() + ["mine"])
    case .object(let object):
      wanted = .object(
        try StateObject(
          object.fields.dropLast().map { ($0.name, $0.value) } + [(UTF8String("mine"), StateValue.int(2))]))
    default: return
    }
    try harness.write("k", .value(wanted), by: "alice", base: 3)
    switch harness.value("k") {
    case .array(let elements): #expect(elements == [.string(UTF8String(text(0))), "mine"])
    case .object(let object): #expect(object.fields.map(\.name.string).sorted() == ["mine", text(0)].sorted())
    default: Issue.record("no value")
    }
  }

  @Test("§4.4 a counter's base far behind what it remembers is looked up in the journal")
  func counterBasesBehindTheMemory() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(1_000), by: "alice")
    for _ in 0..<500 { try harness.write("c", .increment(1), by: "bob") }
    let slot = try #require(harness.core.state.keys.slot(of: try StateKey("c")))
    #expect(harness.core.state.keys[slot].record.recent.reach > 1)
    try harness.write("c", .value(1_007), by: "carol", base: 1)
    #expect(harness.value("c") == 1_507)
  }

  @Test("§4.4 a whole value of the wrong kind is refused with the field, and makes no entry")
  func wrongKinds() throws {
    var harness = CoreHarness()
    try harness.write("s", .add(1))
    try harness.write("m", .put("f", 1))
    for (key, value) in [("s", ["f": 1]), ("s", 1), ("m", [1]), ("m", .null)] as [(String, StateValue)] {
      do {
        try harness.write(key, .value(value))
        Issue.record("accepted")
      } catch SwarmError.invalid(let field, _) {
        #expect(field == "/value")
      }
    }
    #expect(harness.core.revision == 2)
  }

  @Test("§4.4 a register becomes a register although its writer planned a set that somebody deleted meanwhile")
  func plansMeetTheStateOfTheirEntry() throws {
    var harness = CoreHarness()
    try harness.write("k", .add("x"))
    let planned = KeyWrite(key: try StateKey("k"), content: .value(.set, [.add("y")]), base: 1)
    try harness.write("k", .delete)
    try harness.write("k", .assign("register"))
    let outcome = harness.apply(.state(.write([planned])), by: "bob")
    #expect(
      outcome.result == .refused(.state(.typeMismatch(try StateKey("k"), holds: .register, asked: .set))))
    #expect(harness.value("k") == "register")
  }
}
