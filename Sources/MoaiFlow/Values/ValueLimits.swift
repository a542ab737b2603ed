/// How large and how deep a value may be (rule §2.1).
///
/// Raising them costs memory in every hub and in every watcher that is sent the value; an entry above the engine's own
/// limit (NATS: 1 MiB by default) is still refused there.
public struct ValueLimits: Hashable, Sendable {
  /// Bytes of the canonical JSON.
  public var encodedBytes: Int
  /// Arrays and objects inside one another; a plain number has depth 0, an array of numbers 1.
  public var depth: Int

  public init(encodedBytes: Int = 512 * 1024, depth: Int = 64) {
    self.encodedBytes = encodedBytes
    self.depth = depth
  }

  public static let `default` = ValueLimits()

  /// Refuses a value over a limit, and a double that is not finite. O(size); the depth is checked first, so a value of
  /// any depth is safe to pass.
  public func check(_ value: StateValue) throws(ValueError) {
    try checkShape(value, room: depth)
    let size = value.encodedSize
    guard size <= encodedBytes else { throw .encodedBytes(size, limit: encodedBytes) }
  }

  private func checkShape(_ value: StateValue, room: Int) throws(ValueError) {
    switch value {
    case .null, .bool, .int, .string: return
    case .double(let number):
      guard number.isFinite else { throw .notFinite }
    case .array(let values):
      guard room > 0 else { throw .depth(limit: depth) }
      for value in values { try checkShape(value, room: room - 1) }
    case .object(let object):
      guard room > 0 else { throw .depth(limit: depth) }
      for field in object.fields { try checkShape(field.value, room: room - 1) }
    }
  }
}

/// Why a value may not be shared.
public enum ValueError: Error, Hashable, Sendable {
  case encodedBytes(Int, limit: Int)
  case depth(limit: Int)
  /// NaN or an infinity.
  case notFinite
}

extension ValueError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .encodedBytes(let size, let limit): "the value has \(size) bytes of JSON, at most \(limit)"
    case .depth(let limit): "the value is nested deeper than \(limit) levels"
    case .notFinite: "a number must be finite"
    }
  }
}

extension StateValue {
  /// Bytes of the canonical JSON, counted without building it. O(size).
  public var encodedSize: Int {
    switch self {
    case .null: 4
    case .bool(let value): value ? 4 : 5
    case .int(let value): decimalDigits(value.magnitude) + (value < 0 ? 1 : 0)
    case .double(let value): canonicalText(of: value).utf8.count
    case .string(let text): JSONEscape.quotedSize(text)
    case .array(let values): values.reduce(max(2, values.count + 1)) { $0 + $1.encodedSize }
    case .object(let object):
      object.fields.reduce(max(2, object.count + 1)) {
        $0 + JSONEscape.quotedSize($1.name) + 1 + $1.value.encodedSize
      }
    }
  }

  /// Arrays and objects inside one another: 0 for a plain value. O(size).
  public var depth: Int {
    switch self {
    case .null, .bool, .int, .double, .string: 0
    case .array(let values): 1 + (values.lazy.map(\.depth).max() ?? 0)
    case .object(let object): 1 + (object.fields.lazy.map(\.value.depth).max() ?? 0)
    }
  }
}

func decimalDigits(_ magnitude: UInt64) -> Int {
  var digits = 1
  var rest = magnitude
  while rest >= 10 {
    rest /= 10
    digits += 1
  }
  return digits
}
