/// An element, key or value that a lattice can encode.
///
/// The encoding is canonical: equal values have equal bytes after the same predecessor, different values have different
/// bytes, and the decoder refuses any other form. It must carry its own length. Entries of one kind follow each other,
/// so an encoding may shorten itself by what it shares with its predecessor; one that does not ignores the argument.
public protocol BinaryValue: Equatable, Sendable {
  /// Appends this value's bytes; `previous` is the value of the same kind before it, nil for the first.
  func encode(after previous: Self?, into writer: inout ByteWriter)

  /// Reads what ``encode(after:into:)`` wrote after the same predecessor.
  init(
    after previous: Self?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure)
}

extension BinaryValue {
  /// The bytes of this value alone, which order two values where nothing else does.
  @inlinable
  var standaloneBytes: [UInt8] {
    var writer = ByteWriter()
    encode(after: nil, into: &writer)
    return writer.bytes
  }
}

extension UTF8String: BinaryValue {
  @inlinable
  public func encode(after previous: UTF8String?, into writer: inout ByteWriter) {
    writer.text(string, after: previous?.string)
  }

  @inlinable
  public init(
    after previous: UTF8String?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    self.init(
      try reader.text(field, after: previous?.string, limit: limits.elementBytes, sharedLimit: limits.bytes))
  }
}

extension Int64: BinaryValue {
  /// The wrapping difference to the predecessor, zigzag: a run of consecutive numbers takes a byte each.
  @inlinable
  public func encode(after previous: Int64?, into writer: inout ByteWriter) {
    writer.signed(self &- (previous ?? 0))
  }

  @inlinable
  public init(
    after previous: Int64?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    self = try reader.signed(field) &+ (previous ?? 0)
  }
}
