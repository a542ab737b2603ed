/// How the contributions of several agents are seen as one value (rule §3.7).
public enum CRDTType: String, CaseIterable, Hashable, Sendable {
  /// The sum of the agents' numbers.
  case counter
  /// The union of the agents' arrays, without duplicates, in canonical order.
  case set
  /// Of each field the newest.
  case map
  /// The newest value.
  case register
}

extension CRDTType {
  /// Whether a contribution of this type can be `value`. Booleans are no numbers.
  func canHold(_ value: StateValue) -> Bool {
    switch (self, value) {
    case (.counter, .int), (.counter, .double), (.set, .array), (.map, .object), (.register, _): true
    default: false
    }
  }

  /// What a contribution of this type has to be, for an error message.
  var expectation: String {
    switch self {
    case .counter: "a number"
    case .set: "an array"
    case .map: "an object"
    case .register: "a value"
    }
  }

  /// The type that fits all values, where none was declared.
  init(inferredFrom values: some Sequence<StateValue>) {
    for type in [CRDTType.counter, .set, .map] where values.allSatisfy(type.canHold) {
      self = type
      return
    }
    self = .register
  }
}
