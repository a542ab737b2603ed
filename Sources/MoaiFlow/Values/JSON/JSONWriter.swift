import MoaiCRDT

/// Appends values to a buffer as JSON.
///
/// The canonical form has no spaces, fields in byte order and shortest numbers, so equal values have equal bytes. A
/// double that is not finite has no JSON form: `ValueLimits.check` refuses it where values enter; here it becomes `null`.
public struct JSONWriter: Sendable {
  public enum Style: Hashable, Sendable {
    /// `{"a":1,"b":[true,2.0]}`
    case canonical
    /// `{"a": 1, "b": [true, 2.0]}`: one line, for people.
    case spaced
  }

  public let style: Style
  public private(set) var bytes: [UInt8] = []

  public init(style: Style = .canonical, reservingCapacity capacity: Int = 256) {
    self.style = style
    bytes.reserveCapacity(capacity)
  }

  /// The bytes of one value.
  public static func bytes(_ value: StateValue, style: Style = .canonical) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.append(value)
    return writer.bytes
  }

  /// The text of one value.
  public static func text(_ value: StateValue, style: Style = .canonical) -> String {
    String(decoding: bytes(value, style: style), as: UTF8.self)
  }

  public mutating func append(_ value: StateValue) {
    switch value {
    case .null: append(literal: "null")
    case .bool(let value): append(literal: value ? "true" : "false")
    case .int(let value): append(value)
    case .double(let value): append(text: canonicalText(of: value))
    case .string(let text): append(quoting: text)
    case .array(let values): append(values)
    case .object(let object): append(object)
    }
  }

  public mutating func append(_ object: StateObject) {
    bytes.append(UInt8(ascii: "{"))
    var isFirst = true
    for field in object.fields {
      if !isFirst { appendSeparator(UInt8(ascii: ",")) }
      isFirst = false
      append(quoting: field.name)
      appendSeparator(UInt8(ascii: ":"))
      append(field.value)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// A line feed, for texts that hold one document a line.
  public mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
  }

  private mutating func append(_ values: [StateValue]) {
    bytes.append(UInt8(ascii: "["))
    var isFirst = true
    for value in values {
      if !isFirst { appendSeparator(UInt8(ascii: ",")) }
      isFirst = false
      append(value)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func appendSeparator(_ byte: UInt8) {
    bytes.append(byte)
    if style == .spaced { bytes.append(UInt8(ascii: " ")) }
  }

  private mutating func append(literal: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  private mutating func append(text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func append(_ number: Int64) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    var rest = number.magnitude
    let digits = decimalDigits(rest)
    bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
    var place = bytes.count - 1
    while rest > 0 {
      bytes[place] += UInt8(rest % 10)
      rest /= 10
      place -= 1
    }
  }

  private mutating func append(quoting text: UTF8String) {
    bytes.append(UInt8(ascii: "\""))
    let wasContiguous: Void? = text.string.utf8.withContiguousStorageIfAvailable { append(escaping: $0) }
    if wasContiguous == nil {
      Array(text.string.utf8).withUnsafeBufferPointer { append(escaping: $0) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func append(escaping text: UnsafeBufferPointer<UInt8>) {
    var written = 0
    var place = 0
    while place < text.count {
      let byte = text[place]
      if JSONEscape.isNeeded(byte) {
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[written..<place]))
        bytes.append(contentsOf: JSONEscape.text(byte))
        written = place + 1
      }
      place += 1
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[written...]))
  }
}

/// The shortest digits that read back as the same double, always with a point or an exponent; the exponent form below
/// 10⁻⁴ and from 10¹⁶ on, as Python's `repr` has it: clients in other languages can write the same bytes.
func canonicalText(of double: Double) -> String {
  guard double.isFinite else { return "null" }
  guard double != 0 else { return "0.0" }
  // Swift changes to the exponent form at 2⁵³; from there to 10¹⁶ a double is an integer and its digits are the shortest.
  if double.magnitude >= 0x1p53, double.magnitude < 1e16 { return "\(Int64(double)).0" }
  return double.description
}
