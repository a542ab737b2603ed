import MoaiCRDT
import MoaiFlow
import Testing

@Suite struct ResolutionErrorTests {
  static let strategies = ["lww", "vector", "crdt"]

  @Test("§3.3 no versions", arguments: strategies)
  func noVersionsIsAnError(name: String) throws {
    #expect(try error(name, []).reason == .noVersions)
    #expect(throws: ResolutionError.self) { try ConflictResolver(strategy: .lww).resolve([]) }
  }

  @Test("§3.3 a version of another key", arguments: strategies)
  func anotherKeyIsAnError(name: String) throws {
    let refused = try error(name, [version(1), version(2, key: "other")])
    #expect(refused.field.text == "/1/state_key")
    #expect(try error(name, [version(2, key: "other")]).field.text == "/0/state_key")
    // Equal to the eye, different bytes (§1.2).
    #expect(throws: ResolutionError.self) {
      try ConflictResolver(strategy: .lww).resolve([version(1, key: "e\u{301}")], for: "\u{E9}")
    }
  }

  @Test("§3.3 two different declared types", arguments: strategies)
  func twoTypesAreAnError(name: String) throws {
    let refused = try error(
      name, [version(1, type: .counter), version(1, by: "b"), version(1, by: "c", type: .register)])
    #expect(refused.reason == .typesDiffer(.register, .counter))
    #expect(refused.field.text == "/2/crdt_type")
  }

  @Test(
    "§3.3 a contribution that its type cannot hold",
    arguments: [
      (.counter, "1"), (.counter, true), (.counter, .null), (.counter, [1]), (.set, ["a": 1]), (.set, 1), (.map, [1]),
      (.map, .null),
    ] as [(CRDTType, StateValue)])
  func misfitsAreAnError(type: CRDTType, value: StateValue) throws {
    #expect(try error("crdt", [version(value, type: type)]).reason == .misfit(type))
    let good: StateValue = type == .counter ? 1 : type == .set ? [] : [:]
    let refused = try error("crdt", [version(good, by: "b", type: type), version(value, by: "a")])
    #expect(refused.reason == .misfit(type))
    #expect(refused.field.text == "/1/value")
  }

  @Test("§3.3 the coordinator's and merged versions without crdt_state would count twice")
  func doubleCountingIsAnError() throws {
    let byCoordinator = try version(250, by: "coordinator")
    #expect(try error("crdt", [byCoordinator]).field.text == "/0/agent_id")
    let merged = try version(250, by: "a", metadata: ["merged_from_agents": ["a", "b"]])
    #expect(try error("crdt", [version(1), merged]).field.text == "/1/metadata/merged_from_agents")
    #expect(try resolve(.lww, [byCoordinator, merged]).value == 250)
    #expect(try resolve(.vector, [byCoordinator, merged]).siblings.count == 1)
  }

  @Test("§3.3 writes joined by vector are no contribution under crdt")
  func foreignStateIsAnError() throws {
    let joined = try resolve(.vector, [version(1, by: "a"), version(2, by: "b")])
    #expect(try error("crdt", [joined]).field.text == "/0/crdt_state")
  }

  @Test("§3.2 the version of a join that is no input is max + 1, and must be a version", arguments: ["vector", "crdt"])
  func versionsEndSomewhere(name: String) throws {
    let last = StateVersion.maxVersion
    let strategy = try #require(ResolutionStrategy(name: name))
    #expect(try resolve(strategy, [version(1, by: "a", last - 1), version(2, by: "b", 7)]).version == last)
    #expect(try error(name, [version(1, by: "b", 7), version(2, by: "a", last)]).field.text == "/1/version")
  }

  @Test("§2.1 a joined value over the limit is an error, not a version that nobody can read")
  func joinedValuesAreBounded() throws {
    let halves = try ["a", "b"].map { name in
      try version([StateValue(String(repeating: name, count: 300 * 1024))], by: UTF8String(name), type: .set)
    }
    guard case .valueRefused(.encodedBytes) = try error("crdt", halves).reason else {
      Issue.record("the union was not refused")
      return
    }
  }

  @Test("§3.8 a custom strategy is a pure function of the distinct inputs, which the result carries")
  func customStrategiesCarryTheirInputs() throws {
    let longest = ResolutionStrategy.custom(
      CustomStrategy(name: "longest") { inputs in
        inputs.map(\.value).max { ($0.stringValue?.utf8.count ?? 0) < ($1.stringValue?.utf8.count ?? 0) } ?? .null
      })
    let versions = try ["a", "ccc", "bb"].enumerated().map {
      try version(StateValue($0.element), by: UTF8String($0.element), at: Int64($0.offset))
    }
    let atOnce = try resolve(longest, versions + versions)
    #expect(atOnce.value == "ccc")
    #expect(atOnce.metadata["resolution_strategy"] == "longest")
    let step = try wired(resolve(longest, [versions[2], versions[0]]))
    #expect(step.value == "bb")
    #expect(try ResolvedFields(resolve(longest, [step, versions[1], versions[2]])) == ResolvedFields(atOnce))
    #expect(try resolve(longest, [versions[0], versions[0]]).resolvedEquals(versions[0]))

    let many = try (0..<65).map { try version("x", by: UTF8String("agent-\($0)")) }
    #expect(try resolve(longest, Array(many[..<64])).value == "x")
    #expect(throws: ResolutionError.self) { try resolve(longest, many) }

    guard case .object(let object) = atOnce.json else { return }
    let tampered = try StateVersion(json: .object(object.setting("value", to: "bb")))
    let refused = #expect(throws: ResolutionError.self) { try resolve(longest, [tampered]) }
    #expect(refused?.reason == .notTheView)
  }

  private func error(_ name: String, _ versions: [StateVersion]) throws -> ResolutionError {
    let strategy = try #require(ResolutionStrategy(name: name))
    return try #require(
      #expect(throws: ResolutionError.self) { try ConflictResolver(strategy: strategy).resolve(versions, for: "k") })
  }
}
