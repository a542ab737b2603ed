import MoaiCRDT

extension StateValue {
  /// Nil where the number is not finite; `-0.0` becomes `0.0` (rule §2.1).
  public init?(finite value: Double) {
    guard value.isFinite else { return nil }
    self = .double(value == 0 ? 0 : value)
  }

  public init(_ number: Int) { self = .int(Int64(number)) }
  public init(_ text: String) { self = .string(UTF8String(text)) }

  public var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// Nil for a double, whatever its value: `1.0` is no integer.
  public var intValue: Int64? {
    if case .int(let value) = self { value } else { nil }
  }

  /// Nil for an integer.
  public var doubleValue: Double? {
    if case .double(let value) = self { value } else { nil }
  }

  public var stringValue: String? {
    if case .string(let value) = self { value.string } else { nil }
  }

  public var arrayValue: [StateValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  public var objectValue: StateObject? {
    if case .object(let object) = self { object } else { nil }
  }

  public var isNull: Bool {
    if case .null = self { true } else { false }
  }

  /// The field of an object; nil where this is no object or has no such field.
  public subscript(name: String) -> StateValue? { objectValue?[name] }

  /// What the value is, with its article, for an error message: "an object".
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a double"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension StateValue: CustomStringConvertible {
  /// The canonical JSON text.
  public var description: String { JSONWriter.text(self) }
}
