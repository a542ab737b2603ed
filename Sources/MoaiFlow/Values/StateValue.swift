public import MoaiCRDT

/// A value that agents share: JSON with exact 64-bit integers (rule §2.1).
///
/// `1` and `1.0` are different values; `-0.0` is `0.0`; doubles are finite; equality, hashing and order of text are
/// over UTF-8 bytes. Every value has one canonical encoding.
public enum StateValue: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// Finite, never `-0.0`. Build it with ``init(finite:)`` from input that is not known to be so.
  case double(Double)
  case string(UTF8String)
  case array([StateValue])
  case object(StateObject)
}

/// The fields of an object, each name once, in the order of their UTF-8 bytes.
public struct StateObject: Sendable {
  public struct Field: Sendable {
    public let name: UTF8String
    public let value: StateValue
  }

  /// Strictly ascending by name.
  public let fields: [Field]
}
