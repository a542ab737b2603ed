import MoaiCRDT
import MoaiFlow
import Testing

@Suite("wire: settings and operations")
struct SettingsJSONTests {
  @Test("settings survive their JSON")
  func settingsRoundTrip() throws {
    let settings = SwarmSettings(
      policies: [
        KeyPolicy(
          pattern: GlobPattern("a*"), type: .counter, strategy: .vector,
          writers: [GlobPattern("x"), GlobPattern("y-*")]),
        KeyPolicy(pattern: GlobPattern("*"), writers: []),
        KeyPolicy(pattern: GlobPattern("e\u{301}")),
        KeyPolicy(
          pattern: GlobPattern("budget/*"), bounds: CounterBounds(minimum: 0, maximum: 100), idleMilliseconds: 5_000),
      ], limits: SwarmLimits(valueBytes: 1_000, siblings: 3, replicaIdleMilliseconds: 60_000),
      retention: HistoryRetention(milliseconds: 86_400_000, entries: 1_000))
    #expect(try SwarmSettings(json: settings.json) == settings)
    #expect(try SwarmSettings(json: [:]) == SwarmSettings())
    #expect(try SwarmSettings(json: ["policies": .null, "limits": .null]) == SwarmSettings())
  }

  @Test(
    "settings with a field that is unknown, not supported yet or out of range are refused",
    arguments: [
      (#"{"polices": []}"#, "/polices: there is no such field"),
      (#"{"retention": 5}"#, "/retention: must be an object"),
      (#"{"retention": {"history_ms": 0}}"#, "/retention/history_ms: 0 is not between"),
      (#"{"retention": {"days": 1}}"#, "/retention/days: there is no such field"),
      (#"{"policies": [{"pattern": "a", "min": 6, "max": 5}]}"#, "/policies/0/max: 5 is less than min"),
      (#"{"policies": [{"pattern": "a", "min": 0.5}]}"#, "/policies/0/min: must be an integer"),
      (#"{"policies": [{"pattern": "a", "retention": {"idle_ms": -1}}]}"#, "/policies/0/retention/idle_ms: -1 is not"),
      (#"{"quorum": 2}"#, "/quorum: not supported yet"),
      (#"{"topology": "ring"}"#, "/topology: not supported yet"),
      (#"{"policies": [{"pattern": "a"}, {}]}"#, "/policies/1/pattern: the field is missing"),
      (#"{"policies": [{"pattern": ""}]}"#, "/policies/0/pattern"),
      (#"{"policies": [{"pattern": "a", "crdt_type": "tree"}]}"#, "/policies/0/crdt_type: must be one of"),
      (#"{"policies": [{"pattern": "a", "writers": "b"}]}"#, "/policies/0/writers: must be an array"),
      (#"{"limits": {"value_bytes": 0}}"#, "/limits/value_bytes: 0 is not between"),
      (#"{"limits": {"siblings": 1.0}}"#, "/limits/siblings: must be an integer"),
      (#"[]"#, "must be an object"),
    ])
  func refusedSettings(json: String, text: String) throws {
    let json = try JSONParser().parse(json)
    do {
      _ = try SwarmSettings(json: json)
      Issue.record("\(json) was accepted")
    } catch {
      #expect(error.description.hasPrefix(text), "\(error)")
    }
  }

  @Test("operations survive their JSON")
  func operationsRoundTrip() throws {
    let operations: [StateOperation] = [
      .increment(.min), .add([1, 1.0, .null]), .remove("e\u{301}"), .put(field: "", .null), .removeField("f"),
      .assign(["a": [:]]),
    ]
    #expect(try StateOperation.list(json: .array(operations.map(\.json))) == operations)
  }

  @Test(
    "an operation with a field too few, too many or of the wrong kind is refused by its place",
    arguments: [
      (["op": "increment"], "/0/by: the field is missing"),
      (["op": "increment", "by": 1.0], "/0/by: must be an integer, not a double"),
      (["op": "increment", "by": 1, "base": 1], "/0/base: there is no such field here"),
      (["op": "add"], "/0/element: the field is missing"),
      (["op": "put", "field": 1, "value": 1], "/0/field: must be a string, not an integer"),
      (["op": "put", "field": "f"], "/0/value: the field is missing"),
      (["op": "share", "share": 1], "/0/op: must be one of"),
      (["op": 7], "/0/op: must be one of"),
      (["by": 1], "/0/op: the field is missing"),
      ([], "/0: must be an object, not an array"),
    ] as [(StateValue, String)])
  func refusedOperations(json: StateValue, text: String) {
    do {
      _ = try StateOperation.list(json: [json])
      Issue.record("\(json) was accepted")
    } catch {
      #expect(error.description.hasPrefix(text), "\(error)")
    }
  }
}
