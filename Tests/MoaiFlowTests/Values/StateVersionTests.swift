import MoaiCRDT
import MoaiFlow
import Testing

@Suite struct StateVersionTests {
  static let plain = #"{"state_key":"k","value":1,"version":0,"timestamp":"2025-11-29T10:00:00Z","agent_id":"a"}"#

  @Test("§2.2 every field is read and written")
  func fullVersionRoundTrips() throws {
    let text = #"""
      {"agent_id":"é","crdt_type":"set","logical":7,"metadata":{"note":[1.5,null]},"state_key":"k","timestamp":"2025-11-29T10:00:00.123Z","value":["b","a"],"vector_clock":{"a":1,"b":9223372036854775807},"version":9223372036854775806}
      """#
    let version = try StateVersion(json: JSONParser().parse(text))
    #expect(version.timestamp.logical == 7)
    #expect(version.vectorClock?["b"] == UInt64(Int64.max))
    #expect(version.version == StateVersion.maxVersion)
    #expect(JSONWriter.text(version.json) == text)
  }

  @Test(
    "§2.2 what is wrong is refused with its field",
    arguments: [
      ("state_key", #""""#, "/state_key"), ("state_key", "1", "/state_key"), ("state_key", #"".""#, "/state_key"),
      ("state_key", #""a\u0007b""#, "/state_key"), ("version", "-1", "/version"), ("version", "1.0", "/version"),
      ("version", "9223372036854775807", "/version"), ("version", "true", "/version"), ("version", #""1""#, "/version"),
      ("agent_id", #""""#, "/agent_id"), ("agent_id", "null", "/agent_id"), ("timestamp", "0", "/timestamp"),
      ("timestamp", #""yesterday""#, "/timestamp"), ("logical", "-1", "/logical"), ("logical", "65536", "/logical"),
      ("logical", "1.0", "/logical"), ("vector_clock", "[]", "/vector_clock"),
      ("vector_clock", #"{"a/b":-1}"#, "/vector_clock/a~1b"),
      ("vector_clock", #"{"a":1.0}"#, "/vector_clock/a"), ("vector_clock", #"{"":1}"#, "/vector_clock/"),
      ("crdt_type", #""list""#, "/crdt_type"), ("crdt_type", "1", "/crdt_type"), ("metadata", "[]", "/metadata"),
      ("metadata", #"{"crdt_type":"list"}"#, "/metadata/crdt_type"),
      ("metadata", #"{"vector_clock":{"a":"b"}}"#, "/metadata/vector_clock/a"),
      ("crdt_state", "1", "/crdt_state"), ("crdt_state", #"{"x":1}"#, "/crdt_state/x"),
      ("siblings", "[1]", "/siblings"),
      ("crdtType", #""set""#, "/crdtType"), ("Value", "1", "/Value"),
    ])
  func wrongFieldsAreNamed(field: String, json: String, pointer: String) throws {
    guard case .object(let object) = try JSONParser().parse(Self.plain) else { return }
    let changed = StateValue.object(object.setting(UTF8String(field), to: try JSONParser().parse(json)))
    let error = #expect(throws: StateVersionError.self) { try StateVersion(json: changed) }
    #expect(error?.field.text == pointer)
  }

  @Test("§2.2 a missing field is named", arguments: ["state_key", "value", "version", "timestamp", "agent_id"])
  func missingFieldsAreNamed(field: String) throws {
    guard case .object(let object) = try JSONParser().parse(Self.plain) else { return }
    let error = #expect(throws: StateVersionError.self) {
      try StateVersion(json: .object(object.removing(UTF8String(field))))
    }
    #expect(error?.field.text == "/" + field)
    #expect(throws: StateVersionError.self) { try StateVersion(json: [1]) }
  }

  @Test("§1.1 an agent has 1 to 512 bytes, whatever they are")
  func agentsAreBounded() throws {
    let longest = String(repeating: "é", count: 256)
    #expect(try version(agent: UTF8String(longest)).agent.count == 512)
    #expect(throws: StateVersionError.self) { try version(agent: UTF8String(longest + "x")) }
    #expect(throws: StateVersionError.self) { try version(agent: "") }
    #expect(throws: StateVersionError.self) { try version(vectorClock: VectorClock([("", 1)])) }
  }

  @Test("§2.2 vector_clock and crdt_type may stand in metadata and must agree")
  func metadataMayCarryClockAndType() throws {
    let inside = try version(metadata: ["vector_clock": ["a": 1, "b": 0], "crdt_type": "set"])
    #expect(inside.vectorClock == VectorClock([("a", 1)]))
    #expect(inside.crdtType == .set)
    let both = try version(
      vectorClock: VectorClock([("a", 1)]), crdtType: .set, metadata: ["vector_clock": ["a": 1], "crdt_type": "set"])
    #expect(both.crdtType == .set)
    let types = #expect(throws: StateVersionError.self) { try version(crdtType: .map, metadata: ["crdt_type": "set"]) }
    #expect(types?.field.text == "/metadata/crdt_type")
    let clocks = #expect(throws: StateVersionError.self) {
      try version(vectorClock: VectorClock([("a", 2)]), metadata: ["vector_clock": ["a": 1]])
    }
    #expect(clocks?.field.text == "/metadata/vector_clock")
  }

  @Test("§1.4 an entry of 0 is absent")
  func zeroEntriesAreDropped() throws {
    let text = Self.plain.dropLast() + #","vector_clock":{"a":0,"b":2}}"#
    #expect(try StateVersion(json: JSONParser().parse(String(text))).vectorClock == VectorClock([("b", 2)]))
  }

  @Test("§2.1 a value over a limit, or not finite, is refused")
  func valuesAreChecked() {
    #expect(throws: StateVersionError.self) { try version(value: .double(.nan)) }
    #expect(throws: StateVersionError.self) { try version(metadata: ["x": .double(.infinity)]) }
    #expect(throws: StateVersionError.self) { try version(value: StateValue(String(repeating: "x", count: 1 << 20))) }
    #expect(throws: StateVersionError.self) { try version(timestamp: Timestamp(milliseconds: .max)) }
  }

  private func version(
    value: StateValue = 1, timestamp: Timestamp = Timestamp(milliseconds: 0), agent: UTF8String = "a",
    vectorClock: VectorClock<UTF8String>? = nil, crdtType: CRDTType? = nil, metadata: StateObject = .empty
  ) throws -> StateVersion {
    try StateVersion(
      key: StateKey("k"), value: value, version: 1, timestamp: timestamp, agent: agent, vectorClock: vectorClock,
      crdtType: crdtType, metadata: metadata)
  }
}
