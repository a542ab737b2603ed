/// `1` and `1.0` differ; `-0.0` equals `0.0`; text is compared by its UTF-8 bytes (rules §1.2, §2.1).
extension StateValue: Hashable {
  public static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let l), .bool(let r)): l == r
    case (.int(let l), .int(let r)): l == r
    case (.double(let l), .double(let r)): l == r
    case (.string(let l), .string(let r)): l == r
    case (.array(let l), .array(let r)): l == r
    case (.object(let l), .object(let r)): l == r
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0 as UInt8)
    case .bool(let value): hasher.combine(value ? 2 as UInt8 : 1)
    case .int(let value):
      hasher.combine(3 as UInt8)
      hasher.combine(value)
    case .double(let value):
      hasher.combine(4 as UInt8)
      hasher.combine(value)
    case .string(let value):
      hasher.combine(5 as UInt8)
      hasher.combine(value)
    case .array(let values):
      hasher.combine(6 as UInt8)
      hasher.combine(values)
    case .object(let object):
      hasher.combine(7 as UInt8)
      hasher.combine(object)
    }
  }
}

extension StateObject.Field: Hashable {
  public static func == (left: Self, right: Self) -> Bool {
    left.name == right.name && left.value == right.value
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(value)
  }
}

extension StateObject: Hashable {
  public static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }

  public func hash(into hasher: inout Hasher) { hasher.combine(fields) }
}
