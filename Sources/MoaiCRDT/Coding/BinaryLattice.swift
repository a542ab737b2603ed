/// The type of an encoded lattice: the second byte of every encoding (`docs/Encoding.md`).
@frozen
public enum LatticeKind: UInt8, Hashable, Sendable {
  case counter = 1
  case lastWriterRegister = 2
  case multiValueRegister = 3
  case addWinsSet = 4
  case addWinsMap = 5
  case lastWriterMap = 6
}

/// A lattice with a canonical binary encoding, which is also that of its deltas: equal states have equal bytes.
public protocol BinaryLattice: Lattice {
  static var kind: LatticeKind { get }

  /// Appends the state without the version and the kind.
  func encodeBody(into writer: inout ByteWriter)

  /// Reads what ``encodeBody(into:)`` wrote and nothing else.
  init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure)
}

/// The version that ``BinaryLattice`` writes, and the only one it reads. 0 may still change.
@usableFromInline let latticeEncodingVersion: UInt64 = 0

extension BinaryLattice {
  @inlinable
  public func encode(into writer: inout ByteWriter) {
    writer.varint(latticeEncodingVersion)
    writer.byte(Self.kind.rawValue)
    encodeBody(into: &writer)
  }

  @inlinable
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    encode(into: &writer)
    return writer.bytes
  }

  /// Decodes a state or a delta.
  ///
  /// Accepts exactly what ``encoded()`` writes. Anything else, a different spelling of the same state among it, throws
  /// the field and the byte at which it went wrong. The type of elements is not part of the encoding.
  @inlinable
  public init(decoding bytes: [UInt8], limits: DecodingLimits = .standard) throws(DecodingFailure) {
    guard bytes.count <= limits.bytes else {
      throw DecodingFailure(.overLimit("\(bytes.count) bytes, at most \(limits.bytes)"), field: "lattice", offset: 0)
    }
    var reader = ByteReader(bytes)
    try self.init(from: &reader, limits: limits)
    try reader.finish("lattice")
  }

  /// Decodes a state or a delta that is part of a larger input.
  @inlinable
  public init(from reader: inout ByteReader, limits: DecodingLimits = .standard) throws(DecodingFailure) {
    let start = reader.offset
    let version = try reader.varint("version")
    guard version == latticeEncodingVersion else {
      throw DecodingFailure(.unknownVersion(version), field: "version", offset: start)
    }
    let kind = try reader.byte("kind")
    guard kind == Self.kind.rawValue else {
      throw DecodingFailure(
        .malformed("\(kind) where \(Self.kind.rawValue) was expected"), field: "kind", offset: reader.offset - 1)
    }
    try self.init(body: &reader, limits: limits)
  }
}
