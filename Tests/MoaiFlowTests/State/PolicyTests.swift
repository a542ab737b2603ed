import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite struct PolicyTests {
  private func harness(_ policies: KeyPolicy..., limits: SwarmLimits = SwarmLimits()) -> CoreHarness {
    var harness = CoreHarness()
    harness.apply(.settings(.replace(SwarmSettings(policies: policies, limits: limits))), by: "operator")
    return harness
  }

  private func key(_ name: String) throws -> StateKey { try StateKey(name) }

  @Test("§4.1 the first policy that matches decides; a star matches a slash")
  func firstMatchWins() throws {
    var harness = harness(
      KeyPolicy(pattern: GlobPattern("jobs/*/done"), type: .counter),
      KeyPolicy(pattern: GlobPattern("jobs/*"), type: .set))
    try harness.write("jobs/a/b/done", .value(3), base: 0)
    try harness.write("jobs/a/b", .value(["x", "y", "x"]))
    #expect(harness.reading("jobs/a/b/done")?.type == .counter)
    #expect(harness.value("jobs/a/b") == ["x", "y"])
    #expect(throws: Refusal.state(.typeMismatch(try key("jobs/q"), holds: .set, asked: .counter))) {
      try harness.write("jobs/q", .increment(1))
    }
    #expect(throws: Refusal.state(.typeMismatch(try key("jobs/q"), holds: .set, asked: .map))) {
      try harness.write("jobs/q", .value(["x"]), type: .map)
    }
    #expect(harness.reading("jobs/q") == nil)
  }

  @Test("§4.1 without a policy the first write decides: its operation, or its crdt_type")
  func firstWriteDecides() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(1))
    try harness.write("s", .add(1))
    try harness.write("m", .put("f", 1))
    try harness.write("t", .value(["a": 1]), type: .map)
    try harness.write("e", .value([]), type: .set)
    #expect(["c", "s", "m", "t", "e"].map { harness.reading($0)?.type } == [.counter, .set, .map, .map, .set])
  }

  @Test("§4.1 a whole value without a type is a register: a port is never summed, a list never reordered")
  func untypedWholeValuesAreRegisters() throws {
    var harness = CoreHarness()
    try harness.write("port", .value(8080), by: "alice")
    try harness.write("port", .value(9090), by: "bob", base: 0)
    #expect(harness.value("port") == 9090)
    try harness.write("list", .value(["c", "a", "c", "b"]), by: "alice")
    try harness.write("list", .value(["b", "a", "b"]), by: "bob", base: 0)
    #expect(harness.value("list") == ["b", "a", "b"])
    try harness.write("map", .value(["a": 1]), by: "alice")
    try harness.write("map", .value(["b": 2]), by: "bob", base: 0)
    #expect(harness.value("map") == ["b": 2])
  }

  static let operations: [(CRDTType, StateOperation)] = [
    (.counter, .increment(1)), (.counter, .share(1)), (.set, .add(1)), (.set, .remove(1)),
    (.map, .put(field: "f", 1)), (.map, .removeField("f")), (.register, .assign(1)),
  ]

  @Test(
    "§4.1 an operation of another type is refused as type_mismatch and changes nothing", arguments: CRDTType.allCases)
  func otherTypesAreRefused(holds: CRDTType) throws {
    var harness = CoreHarness()
    for (type, operation) in Self.operations where type == holds { try harness.write("k", .operations([operation])) }
    let before = harness.core.state.record(in: 0)
    let reading = harness.reading("k")?.value
    for (type, operation) in Self.operations where type != holds {
      #expect(throws: Refusal.state(.typeMismatch(try key("k"), holds: holds, asked: type))) {
        try harness.write("k", .operations([operation]))
      }
    }
    for type in CRDTType.allCases where type != holds {
      #expect(throws: Refusal.state(.typeMismatch(try key("k"), holds: holds, asked: type))) {
        let operation = Self.operations.first { $0.0 == holds }!.1
        try harness.write("k", .operations([operation]), type: type)
      }
    }
    #expect(harness.reading("k")?.value == reading)
    #expect(harness.core.state.record(in: 0) == before)
  }

  @Test("§4.1 the strategy is the policy's or the first write's, and another one is refused")
  func strategies() throws {
    var harness = harness(KeyPolicy(pattern: GlobPattern("v/*"), strategy: .vector))
    try harness.write("v/a", .assign(1))
    #expect(harness.reading("v/a")?.strategy == .vector)
    #expect(throws: Refusal.state(.strategyMismatch(try key("v/b"), holds: .vector))) {
      try harness.write("v/b", .assign(1), strategy: .lww)
    }
    try harness.write("x", .assign(1), strategy: .vector)
    #expect(throws: Refusal.state(.strategyMismatch(try key("x"), holds: .vector))) {
      try harness.write("x", .assign(2), strategy: .lww)
    }
    try harness.write("y", .assign(1))
    #expect(harness.reading("y")?.strategy == .lww)
    #expect(harness.value("x") == 1)
  }

  @Test("§4.1 a policy names who may write; a refused writer changes nothing, not even by deleting")
  func writers() throws {
    var harness = harness(
      KeyPolicy(pattern: GlobPattern("team/*"), writers: [GlobPattern("lead"), GlobPattern("team-*")]),
      KeyPolicy(pattern: GlobPattern("frozen"), writers: []))
    try harness.write("team/goal", .assign("ship"), by: "lead")
    try harness.write("team/goal", .assign("test"), by: "team-7")
    for content in [.assign("spam"), .delete] as [WriteRequest.Content] {
      #expect(throws: Refusal.state(.notAllowed(try key("team/goal"), try AgentID("mallory")))) {
        try harness.write("team/goal", content, by: "mallory")
      }
    }
    #expect(throws: Refusal.state(.notAllowed(try key("frozen"), try AgentID("lead")))) {
      try harness.write("frozen", .assign(1), by: "lead")
    }
    try harness.write("else", .assign(1), by: "mallory")
    #expect(harness.value("team/goal") == "test")
  }

  @Test("§4.1 keys that exist keep type and strategy when the policies change")
  func changedPoliciesKeepKeys() throws {
    var harness = CoreHarness()
    try harness.write("k", .add(1))
    let policy = KeyPolicy(pattern: GlobPattern("*"), type: .counter)
    harness.apply(.settings(.replace(SwarmSettings(policies: [policy]))), by: "operator")
    try harness.write("k", .add(2))
    #expect(harness.value("k") == [1, 2])
    #expect(throws: Refusal.self) { try harness.write("new", .add(2)) }
    try harness.write("k", .delete)
    #expect(throws: Refusal.self) { try harness.write("k", .add(2)) }
    try harness.write("k", .increment(2))
  }

  @Test("§2.1 a value over the swarm's limit is refused whole, and the value before stays")
  func valuesOverTheLimit() throws {
    var harness = harness(limits: SwarmLimits(valueBytes: 20))
    try harness.write("s", .add("0123456789"))
    // ["0123456789"] takes 14 bytes; another such element would make it 27.
    #expect(throws: Refusal.state(.valueTooLarge(try key("s"), limit: 20))) {
      try harness.write("s", .add("9876543210"))
    }
    #expect(harness.value("s") == ["0123456789"])
    try harness.write("s", .add("abc"))
    #expect(harness.value("s")?.encodedSize == 20)
    #expect(throws: Refusal.self) { try harness.write("s", .add(1)) }
    try harness.write("s", .operations([.remove("abc"), .add("xyz")]))
    #expect(throws: SwarmError.self) { try harness.write("r", .assign(.string("0123456789012345678"))) }
  }
}
