/// Why bytes could not be decoded, and where.
public struct DecodingFailure: Error, Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    /// The input ended inside the field.
    case truncated
    /// Bytes follow the end of the value.
    case trailingBytes
    /// The bytes are no value of this field; the text says what was expected.
    case malformed(String)
    /// A valid value in a form that the encoder never writes; the text says what the canonical form is.
    case notCanonical(String)
    /// More elements, bytes or levels than the limit allows.
    case overLimit(String)
    /// A version of the encoding that this reader does not know.
    case unknownVersion(UInt64)
  }

  public let reason: Reason
  /// The field that was being read, in the words of `docs/Encoding.md`.
  public let field: String
  /// Bytes from the start of the input.
  public let offset: Int

  public init(_ reason: Reason, field: String, offset: Int) {
    self.reason = reason
    self.field = field
    self.offset = offset
  }
}

extension DecodingFailure: CustomStringConvertible {
  public var description: String {
    let what =
      switch reason {
      case .truncated: "the input ends here"
      case .trailingBytes: "bytes follow the end"
      case .malformed(let text): text
      case .notCanonical(let text): "not canonical: \(text)"
      case .overLimit(let text): "over the limit: \(text)"
      case .unknownVersion(let version): "encoding version \(version) is unknown"
      }
    return "\(field) at byte \(offset): \(what)"
  }
}

/// Reads what ``ByteWriter`` wrote, from input that nobody vouches for.
///
/// Every length is checked against the bytes that are really there before anything is allocated, so memory stays
/// proportional to the input; what texts share with each other stands there once and has a bound of its own. A number in
/// more bytes than it needs is refused: one value has one encoding.
public struct ByteReader: Sendable {
  let bytes: [UInt8]
  public private(set) var offset = 0
  /// Bytes of the texts so far that stand in the input only once.
  private var sharedBytes = 0

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  public var remaining: Int { bytes.count - offset }
  public var isAtEnd: Bool { offset == bytes.count }

  public func failure(_ reason: DecodingFailure.Reason, _ field: String) -> DecodingFailure {
    DecodingFailure(reason, field: field, offset: offset)
  }

  public mutating func byte(_ field: String) throws(DecodingFailure) -> UInt8 {
    guard offset < bytes.count else { throw failure(.truncated, field) }
    defer { offset += 1 }
    return bytes[offset]
  }

  public mutating func varint(_ field: String) throws(DecodingFailure) -> UInt64 {
    let start = offset
    if start < bytes.count, bytes[start] < 0x80 {
      offset = start + 1
      return UInt64(bytes[start])
    }
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(field)
      let bits = UInt64(next & 0x7F)
      if shift == 63, next > 1 {
        throw DecodingFailure(.malformed("a number over 64 bits"), field: field, offset: start)
      }
      value |= bits << shift
      if next & 0x80 == 0 {
        if next == 0, shift > 0 {
          throw DecodingFailure(.notCanonical("a number with leading zeros"), field: field, offset: start)
        }
        return value
      }
      shift += 7
    }
  }

  public mutating func signed(_ field: String) throws(DecodingFailure) -> Int64 {
    let zigzag = try varint(field)
    return Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
  }

  /// An element count whose elements take at least `bytesPerElement` bytes each, at most `limit` of them.
  public mutating func count(
    _ field: String, bytesPerElement: Int = 1, limit: Int = .max
  ) throws(DecodingFailure) -> Int {
    let start = offset
    let value = try varint(field)
    guard value <= UInt64(limit) else {
      throw DecodingFailure(.overLimit("\(value), at most \(limit)"), field: field, offset: start)
    }
    guard bytesPerElement == 0 || value <= UInt64(remaining / bytesPerElement) else {
      throw DecodingFailure(.truncated, field: field, offset: start)
    }
    return Int(value)
  }

  public mutating func bool(_ field: String) throws(DecodingFailure) -> Bool {
    switch try byte(field) {
    case 0: return false
    case 1: return true
    case let other: throw DecodingFailure(.malformed("\(other) is no boolean"), field: field, offset: offset - 1)
    }
  }

  public mutating func fixed64(_ field: String) throws(DecodingFailure) -> UInt64 {
    guard remaining >= 8 else { throw failure(.truncated, field) }
    defer { offset += 8 }
    return bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
  }

  public mutating func string(_ field: String, limit: Int = .max) throws(DecodingFailure) -> String {
    let length = try count(field, limit: limit)
    let start = offset
    guard let text = string(in: skip(length)) else {
      throw DecodingFailure(.malformed("invalid UTF-8"), field: field, offset: start)
    }
    return text
  }

  public mutating func blob(_ field: String, limit: Int = .max) throws(DecodingFailure) -> [UInt8] {
    let length = try count(field, limit: limit)
    defer { offset += length }
    return Array(bytes[offset..<offset + length])
  }

  /// Steps over `length` bytes, which ``count(_:bytesPerElement:limit:)`` has checked to be there.
  mutating func skip(_ length: Int) -> Range<Int> {
    defer { offset += length }
    return offset..<offset + length
  }

  /// Counts bytes that a text shares with the one before it; false if they are more than `limit` in all.
  mutating func takeShared(_ count: Int, limit: Int) -> Bool {
    guard count <= limit - sharedBytes else { return false }
    sharedBytes += count
    return true
  }

  /// Refuses bytes behind the end of the value.
  public func finish(_ field: String) throws(DecodingFailure) {
    guard isAtEnd else { throw failure(.trailingBytes, field) }
  }
}
