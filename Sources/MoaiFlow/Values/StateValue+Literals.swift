public import MoaiCRDT

// Not ExpressibleByNilLiteral: `condition ? value : nil` would then mean `.null` where everybody reads "no value".
// Write `.null`.

extension StateValue: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension StateValue: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension StateValue: ExpressibleByFloatLiteral {
  public init(floatLiteral value: Double) {
    precondition(value.isFinite, "a double must be finite")
    self = .double(value == 0 ? 0 : value)
  }
}

extension StateValue: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self = .string(UTF8String(value)) }
}

extension StateValue: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: StateValue...) { self = .array(elements) }
}

extension StateValue: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (UTF8String, StateValue)...) {
    self = .object(StateObject(literal: elements))
  }
}

extension StateObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (UTF8String, StateValue)...) {
    self.init(literal: elements)
  }

  /// Traps on a repeated name, as a dictionary literal does.
  fileprivate init(literal elements: [(UTF8String, StateValue)]) {
    var fields = elements.map { Field(name: $0.0, value: $0.1) }
    let duplicate = StateObject.sort(&fields)
    precondition(duplicate == nil, "an object literal has a field twice")
    self.init(ascending: fields)
  }
}
