/// Cuts an input into parts, so that the fuzzer can change one of them without moving the others: two bytes of length,
/// little endian, then the part. A length beyond the end means the rest.
struct InputParts {
  private var rest: ArraySlice<UInt8>

  init(_ input: [UInt8]) {
    rest = input[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  /// The next byte; 0 at the end.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// Eight bytes, little endian, filled up with zeros.
  mutating func number() -> UInt64 {
    var number: UInt64 = 0
    for place in 0..<UInt64(8) { number |= UInt64(byte()) << (8 * place) }
    return number
  }

  mutating func part() -> [UInt8] {
    let length = Int(byte()) | Int(byte()) << 8
    defer { rest = rest.dropFirst(length) }
    return Array(rest.prefix(length))
  }

  static func part(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8)] + bytes
  }

  static func number(_ number: UInt64) -> [UInt8] {
    (0..<UInt64(8)).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
