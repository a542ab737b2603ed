import MoaiCRDT
import MoaiFlow

/// JSON, and what is read from it: settings and operations.
///
/// A value that is read is written in one form only, which is read back as the same value and is as long as was counted
/// before; so is its binary form. Settings and operations that are read are written so that they are read again.
package enum JSONTarget: FuzzTarget {
  package static let name = "json"
  package static let words = [
    "null", "true", "false", "1e308", "-0.0", "9223372036854775807", "\\u00e9", "\\ud83d\\udc1d", "\"policies\":",
    "\"pattern\":", "\"crdt_type\":", "\"strategy\":", "\"writers\":", "\"min\":", "\"max\":", "\"retention\":",
    "\"idle_ms\":", "\"limits\":", "\"value_bytes\":", "\"siblings\":", "\"history_ms\":", "\"op\":", "\"increment\"",
    "\"by\":", "\"add\"", "\"element\":", "\"put\"", "\"field\":", "\"value\":", "\"remove_field\"", "\"assign\"",
  ]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    let value: StateValue
    do {
      value = try JSONParser().parse(input)
    } catch {
      try Finding.unless(0...input.count ~= error.offset && !error.description.isEmpty, "an error beyond the input")
      return false
    }
    try checkWriting(value)
    try checkBinary(value)
    if let elements = value.arrayValue { try checkOrder(elements) }
    try checkSettings(value)
    if let operations = try? StateOperation.list(json: value) {
      let written = StateValue.array(operations.map(\.json))
      try Finding.unless((try? StateOperation.list(json: written)) == operations, "operations are read differently")
    }
    return true
  }

  /// The canonical and the spaced text of a value are read as that value.
  static func checkWriting(_ value: StateValue) throws(Finding) {
    let text = JSONWriter.bytes(value)
    try Finding.unless(text.count == value.encodedSize, "\(value.encodedSize) bytes counted, \(text.count) written")
    for style in [.canonical, .spaced] as [JSONWriter.Style] {
      let read = try? JSONParser().parse(JSONWriter.bytes(value, style: style))
      try Finding.unless(read == value, "\(value) is read as \(read.map { "\($0)" } ?? "nothing")")
      try Finding.unless(read.map { JSONWriter.bytes($0) } == text, "a second canonical form of \(value)")
    }
  }

  private static func checkBinary(_ value: StateValue) throws(Finding) {
    guard (try? ValueLimits.default.check(value)) != nil else { return }
    var writer = ByteWriter()
    value.encode(into: &writer)
    var reader = ByteReader(writer.bytes)
    try Finding.unless((try? StateValue(from: &reader)) == value && reader.isAtEnd, "the binary form of \(value)")
  }

  /// The order found without writing is that of the canonical bytes.
  private static func checkOrder(_ elements: [StateValue]) throws(Finding) {
    for (left, right) in zip(elements, elements.dropFirst()).prefix(64) {
      let isBefore = JSONWriter.bytes(left).lexicographicallyPrecedes(JSONWriter.bytes(right))
      try Finding.unless((left < right) == isBefore, "\(left) and \(right) are in the wrong order")
      try Finding.unless((left == right) == (JSONWriter.bytes(left) == JSONWriter.bytes(right)), "\(left), \(right)")
    }
  }

  private static func checkSettings(_ value: StateValue) throws(Finding) {
    guard let settings = try? SwarmSettings(json: value) else { return }
    try Finding.unless((try? SwarmSettings(json: settings.json)) == settings, "settings are read differently")
    let entry = Entry(
      author: .operator, id: CommandID(high: 0, low: 0), requestHash: 0, command: .settings(.replace(settings)))
    let bytes = entry.encoded()
    try Finding.unless((try? Entry(decoding: bytes)) == entry, "the entry of settings is read differently")
    var state = SwarmState(epoch: SampleSwarm.epoch)
    let outcome = (try? state.apply(bytes: bytes, at: 0))?.applied.outcome
    try Finding.unless(outcome?.result == .settings, "settings that were read are refused")
    for pattern in settings.policies.map(\.pattern) { _ = pattern.matches("stock/bolts") }
  }

  package static func seeds() async throws -> [[UInt8]] {
    let texts = [
      #"null"#, #"[true, false, null]"#, #"[0, -1, 9223372036854775807, -9223372036854775808]"#,
      #"[0.0, -0.0, 1.5, 1e-5, 5e-324, 1.7976931348623157e308, 9007199254740994.0, 1E+2]"#,
      #""a\"\\\/\b\f\n\r\t\u0001\u00e9\ud83d\udc1d é 🐝""#, #"{"b": {"a": [[], {}, [[]]]}, "a": "", "": 0}"#,
      #"["a", "a!", "a\"", "a b", 10, 9, 1.0, 1, [1, 2], [1], {"a": 1}, {}]"#, "[[[[[[[[[[[[1]]]]]]]]]]]]",
      #"""
      [{"op": "increment", "by": -3}, {"op": "add", "element": "x"}, {"op": "remove", "element": [1]},
       {"op": "put", "field": "f", "value": null}, {"op": "remove_field", "field": "f"}, {"op": "assign", "value": {}}]
      """#,
      #"""
      {"policies": [{"pattern": "a/*", "crdt_type": "counter", "strategy": "vector", "writers": ["w-*", "x"], "min": 0,
        "max": 9, "retention": {"idle_ms": 5}}], "limits": {"value_bytes": 100, "siblings": 2, "replica_idle_ms": 9},
       "retention": {"history_ms": 1000, "history_entries": 5}}
      """#,
    ]
    return texts.map { Array($0.utf8) }
  }
}
