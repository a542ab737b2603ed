/// Appends the primitives of the binary encodings (`docs/Encoding.md`) to a byte array.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8]

  @inlinable
  public init(reservingCapacity capacity: Int = 64) {
    self.init(bytes: [], capacity: capacity)
  }

  @usableFromInline
  init(bytes: [UInt8], capacity: Int) {
    self.bytes = bytes
    self.bytes.reserveCapacity(capacity)
  }

  public mutating func byte(_ value: UInt8) {
    bytes.append(value)
  }

  /// Unsigned LEB128: seven bits a byte, least significant first, 1 to 10 bytes.
  public mutating func varint(_ value: UInt64) {
    if value < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value))
      return
    }
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Zigzag, then LEB128: small magnitudes of either sign are short.
  public mutating func signed(_ value: Int64) {
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  /// A length or element count.
  public mutating func count(_ value: Int) {
    varint(UInt64(value))
  }

  public mutating func bool(_ value: Bool) {
    bytes.append(value ? 1 : 0)
  }

  /// Eight bytes, little endian: for hashes and random ids, which LEB128 would lengthen.
  public mutating func fixed64(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// The byte count, then the UTF-8 bytes.
  public mutating func string(_ value: String) {
    count(value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }

  /// The UTF-8 bytes of `value` behind the first `start`.
  mutating func append(_ value: String, from start: Int) {
    var value = value
    value.withUTF8 { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: $0[start...])) }
  }

  /// The byte count, then the bytes.
  public mutating func blob(_ value: [UInt8]) {
    count(value.count)
    bytes.append(contentsOf: value)
  }

  /// The bytes as they are, for a part that carries its own length.
  public mutating func raw(_ value: [UInt8]) {
    bytes.append(contentsOf: value)
  }
}
