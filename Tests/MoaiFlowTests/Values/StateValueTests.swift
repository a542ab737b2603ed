import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite struct StateValueTests {
  @Test("§2.1 1 and 1.0 differ, -0.0 is 0.0")
  func kindsOfNumbersAreToldApart() {
    #expect(StateValue.int(1) != .double(1))
    #expect(StateValue.double(-0.0) == .double(0.0))
    #expect(StateValue.double(-0.0).hashValue == StateValue.double(0.0).hashValue)
    #expect(StateValue.double(-0.0).description == "0.0")
    #expect(StateValue(finite: -0.0)?.doubleValue?.sign == .plus)
    #expect(StateValue.bool(true) != .int(1))
  }

  @Test("§2.1 a double is finite", arguments: [Double.nan, .infinity, -.infinity])
  func aDoubleThatIsNotFiniteIsRefused(number: Double) {
    #expect(StateValue(finite: number) == nil)
    #expect(throws: ValueError.notFinite) { try ValueLimits.default.check([["deep": .double(number)]]) }
  }

  @Test("§1.2 canonically equivalent texts are different values and different fields")
  func normalisationDecidesNothing() throws {
    let composed: StateValue = "caf\u{E9}"
    let decomposed: StateValue = "cafe\u{301}"
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
    let object = try StateObject([("caf\u{E9}", 1), ("cafe\u{301}", 2)])
    #expect(object["caf\u{E9}"] == 1)
    #expect(object["cafe\u{301}"] == 2)
    #expect(object.fields.map(\.name) == ["cafe\u{301}", "caf\u{E9}"])
  }

  @Test("§2.1 a repeated field is refused")
  func aRepeatedFieldIsRefused() {
    let error = #expect(throws: DuplicateField.self) { try StateObject([("a", 1), ("b", 2), ("a", 1)]) }
    #expect(error?.name == "a")
  }

  @Test func fieldsAreFoundSetAndRemoved() throws {
    var object = try StateObject((0..<100).reversed().map { (UTF8String("f\($0)"), .int($0)) })
    for number in 0..<100 { #expect(object["f\(number)"] == .int(Int64(number))) }
    #expect(object["f100"] == nil)
    #expect(object[""] == nil)
    object = object.setting("f7", to: "seven").setting("a", to: .null).removing("f50").removing("absent")
    #expect(object.count == 100)
    #expect(object["f7"] == "seven")
    #expect(object["a"] == .null)
    #expect(object["f50"] == nil)
    #expect(object.fields.map(\.name) == object.fields.map(\.name).sorted())
  }

  @Test("§2.1 the order is that of the canonical bytes", arguments: 0..<15)
  func orderIsThatOfTheCanonicalBytes(seed: UInt64) {
    var values = RandomValues(seed: seed)
    let sample = (0..<50).map { _ in values.value() }
    for left in sample {
      for right in sample {
        let bytes = JSONWriter.bytes(left).lexicographicallyPrecedes(JSONWriter.bytes(right))
        #expect((left < right) == bytes, "\(left) \(right)")
        #expect((left == right) == (JSONWriter.bytes(left) == JSONWriter.bytes(right)), "\(left) \(right)")
        if left == right { #expect(left.hashValue == right.hashValue) }
      }
    }
  }

  @Test("§2.1 encodedSize counts the canonical bytes, depth the levels", arguments: 0..<40)
  func sizeAndDepthAreThoseOfTheText(seed: UInt64) {
    var values = RandomValues(seed: seed)
    for _ in 0..<50 {
      let value = values.value()
      #expect(value.encodedSize == JSONWriter.bytes(value).count)
      #expect(value.depth == deepestBracket(of: value))
    }
  }

  @Test("§2.1 limits: 512 KiB encoded, depth 64")
  func limitsAreNamedWhereTheyAreCrossed() throws {
    let limits = ValueLimits.default
    try limits.check(StateValue(String(repeating: "x", count: 512 * 1024 - 2)))
    #expect(throws: ValueError.encodedBytes(512 * 1024 + 1, limit: 512 * 1024)) {
      try limits.check(StateValue(String(repeating: "x", count: 512 * 1024 - 1)))
    }
    try limits.check(nested(64))
    #expect(throws: ValueError.depth(limit: 64)) { try limits.check(nested(65)) }
    #expect(throws: ValueError.depth(limit: 64)) { try limits.check(nested(500)) }
  }

  private func nested(_ depth: Int) -> StateValue {
    (0..<depth).reduce(1) { value, level in level % 2 == 0 ? [value] : ["a": value] }
  }

  /// Counts brackets outside strings: nothing of the implementation.
  private func deepestBracket(of value: StateValue) -> Int {
    var depth = 0
    var deepest = 0
    var isInString = false
    var isEscaped = false
    for byte in JSONWriter.bytes(value) {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == 0x5C {
          isEscaped = true
        } else if byte == 0x22 {
          isInString = false
        }
      } else if byte == 0x22 {
        isInString = true
      } else if byte == 0x5B || byte == 0x7B {
        depth += 1
        deepest = max(deepest, depth)
      } else if byte == 0x5D || byte == 0x7D {
        depth -= 1
      }
    }
    return deepest
  }
}
