/// Why a text is no JSON that this library takes, and where.
public struct JSONError: Error, Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    /// The text says what was expected where the input ended.
    case unexpectedEnd(expected: String)
    /// The text says what was expected instead.
    case unexpectedByte(UInt8, expected: String)
    /// No number by RFC 8259: a leading zero, a sign or point without digits.
    case malformedNumber
    /// A number without fraction and exponent that is no 64-bit signed integer.
    case integerOutOfRange
    /// A number whose nearest double is infinite.
    case doubleOutOfRange
    /// A backslash before something that cannot be escaped.
    case malformedEscape
    /// Half of a UTF-16 surrogate pair without the other half: no text in UTF-8 can hold it.
    case loneSurrogate
    /// A control character that is not escaped.
    case controlCharacter
    case invalidUTF8
    case duplicateField
    case trailingBytes
    /// The text names the limit.
    case overLimit(String)
  }

  public let reason: Reason
  /// Bytes from the start of the input.
  public let offset: Int
  /// Counted from 1.
  public let line: Int
  /// In bytes, counted from 1.
  public let column: Int
  /// The value that was being read, as a JSON Pointer (RFC 6901); empty for the whole text.
  public let pointer: JSONPointer
}

extension JSONError {
  /// What is wrong, without where.
  public var detail: String {
    switch reason {
    case .unexpectedEnd(let expected): "the text ends where \(expected) should follow"
    case .unexpectedByte(let byte, let expected): "\(JSONError.shown(byte)) stands where \(expected) should be"
    case .malformedNumber: "a malformed number"
    case .integerOutOfRange: "an integer outside the 64-bit range (with a fraction or exponent it would be a double)"
    case .doubleOutOfRange: "a number too large for a double"
    case .malformedEscape: "a malformed escape"
    case .loneSurrogate: "half of a surrogate pair"
    case .controlCharacter: "a control character in a string (write it as an escape)"
    case .invalidUTF8: "invalid UTF-8"
    case .duplicateField: "a field that is there twice"
    case .trailingBytes: "something follows the end of the value"
    case .overLimit(let limit): limit
    }
  }

  private static func shown(_ byte: UInt8) -> String {
    (0x21...0x7E).contains(byte)
      ? "\"\(Unicode.Scalar(byte))\"" : "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}

extension JSONError: CustomStringConvertible {
  public var description: String {
    "line \(line), column \(column) (byte \(offset))\(pointer.isRoot ? "" : ", at \(pointer)"): \(detail)"
  }
}
