/// Reads JSON (RFC 8259) into a ``StateValue``, strictly.
///
/// An integer literal is exact or refused; `1.0` and `1e3` are doubles. Refused too: repeated fields, lone surrogates,
/// invalid UTF-8, numbers beyond a double, anything behind the value, and what is over a limit. The order of fields
/// does not matter.
///
///     let value = try JSONParser().parse(#"{"tasks": ["a", "b"]}"#)
public struct JSONParser: Sendable {
  public var limits: JSONLimits

  public init(limits: JSONLimits = .default) {
    self.limits = limits
  }

  public func parse(_ text: String) throws(JSONError) -> StateValue {
    try parse(Array(text.utf8))
  }

  public func parse(_ bytes: [UInt8]) throws(JSONError) -> StateValue {
    try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
      try parse(UnsafeRawBufferPointer(buffer))
    }
  }

  public func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> StateValue {
    var cursor = JSONCursor(bytes, limits: limits)
    do {
      return try cursor.document()
    } catch {
      throw cursor.describe(error)
    }
  }
}
