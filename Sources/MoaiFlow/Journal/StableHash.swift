/// A 64-bit hash that is the same on every machine, in every build and for ever, fed piece by piece.
///
/// It notices faults (a flipped bit, a lost or swapped piece); it is no defence against someone who chooses the input.
/// Two inputs of equal shape that differ within one eight-byte word never collide, because each step is a bijection of
/// the state; other differences collide with a chance of about 2⁻⁶⁴.
///
/// Pieces are framed: `combine(bytes: a)` and then `combine(bytes: b)` differs from `combine(bytes: a + b)`.
/// About 2 ns a word, 3 to 4 bytes a nanosecond in bulk.
@frozen
package struct StableHash: Sendable {
  @usableFromInline var state: UInt64

  @inlinable
  package init(seed: UInt64 = 0) {
    state = seed ^ 0x6D6F_6169_666C_6F77  // "moaiflow", so that a seed of 0 and a word of 0 do not meet at 0
  }

  @inlinable
  package mutating func combine(_ word: UInt64) {
    // The word is mixed by itself first, which does not wait for the state: a difference in its high bits could not be
    // spread by the second product. The constant keeps words of zero from being the one thing that changes nothing.
    var mixed = (word &+ 0xD1B5_4A32_D192_ED03) &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 32
    let product = (state ^ mixed) &* 0x9E6D_62D0_6F6A_9A9B
    state = product ^ (product >> 29)
  }

  @inlinable
  package mutating func combine(_ number: Int64) {
    combine(UInt64(bitPattern: number))
  }

  @inlinable
  package mutating func combine(bytes: [UInt8]) {
    bytes.withUnsafeBytes { combine(bytes: $0) }
  }

  /// The count first, then the bytes as little-endian words, the last one filled up with zeros.
  @inlinable
  package mutating func combine(bytes: UnsafeRawBufferPointer) {
    combine(UInt64(bytes.count))
    var offset = 0
    while offset &+ 8 <= bytes.count {
      combine(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset &+= 8
    }
    guard offset < bytes.count else { return }
    var last: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.count {
      last |= UInt64(bytes[offset]) &<< shift
      shift &+= 8
      offset &+= 1
    }
    combine(last)
  }

  /// The hash of everything combined so far; more may be combined afterwards.
  @inlinable
  package func finalize() -> UInt64 {
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
