/// Adds doubles and integers exactly and rounds once, so that the order of addition cannot matter (rule §3.7).
///
/// A fixed-point number that covers every finite double: 32 bits in each of 70 words, from 2⁻¹⁰⁷⁴ upward, carries kept
/// in the upper halves (Kulisch 1971, the long accumulator). Sums of up to 2³⁰ numbers.
struct ExactSum {
  /// Word `i` counts units of 2^(32·i − 1074).
  private var words: [Int64] = Array(repeating: 0, count: 70)

  /// The number must be finite.
  mutating func add(_ number: Double) {
    guard number != 0 else { return }
    let isSubnormal = number.exponentBitPattern == 0
    let mantissa = number.significandBitPattern | (isSubnormal ? 0 : 1 << 52)
    let position = isSubnormal ? 0 : Int(number.exponentBitPattern) - 1
    add(mantissa: mantissa, at: position, isNegative: number < 0)
  }

  mutating func add(_ number: Int128) {
    let magnitude = number.magnitude
    add(mantissa: UInt64(truncatingIfNeeded: magnitude), at: 1074, isNegative: number < 0)
    add(mantissa: UInt64(truncatingIfNeeded: magnitude >> 64), at: 1074 + 64, isNegative: number < 0)
  }

  /// Adds `mantissa · 2^(position − 1074)`.
  private mutating func add(mantissa: UInt64, at position: Int, isNegative: Bool) {
    let shifted = UInt128(mantissa) << UInt128(position % 32)
    for index in 0..<3 {
      let part = Int64(truncatingIfNeeded: (shifted >> UInt128(32 * index)) & 0xFFFF_FFFF)
      words[position / 32 + index] += isNegative ? -part : part
    }
  }

  /// The nearest double, ties to even; infinite where the sum is beyond the greatest.
  var rounded: Double {
    let (digits, isNegative) = magnitude
    guard let top = digits.lastIndex(where: { $0 != 0 }) else { return 0 }
    // The highest bit's weight is 2^(highest − 1074).
    let highest = top * 32 + 31 - digits[top].leadingZeroBitCount
    let lowest = max(0, highest - 52)
    var mantissa = bits(of: digits, from: lowest, count: highest - lowest + 1)
    if lowest > 0 {
      let isHalfOrMore = bits(of: digits, from: lowest - 1, count: 1) == 1
      let isMoreThanHalf = isHalfOrMore && hasBits(below: lowest - 1, in: digits)
      if isMoreThanHalf || (isHalfOrMore && mantissa & 1 == 1) { mantissa += 1 }
    }
    // At most 2⁵³, so exact; scaling by a power of two is exact too, or overflows to infinity.
    let value = Double(mantissa) * Double(sign: .plus, exponent: lowest / 2 - 537, significand: 1)
    let scaled = value * Double(sign: .plus, exponent: lowest - lowest / 2 - 537, significand: 1)
    return isNegative ? -scaled : scaled
  }

  /// The words with all carries resolved, and the sign.
  private var magnitude: (digits: [UInt32], isNegative: Bool) {
    var carried = words
    ExactSum.carry(&carried)
    let isNegative = carried[carried.count - 1] < 0
    if isNegative {
      carried = words.map { -$0 }
      ExactSum.carry(&carried)
    }
    return (carried.map { UInt32(truncatingIfNeeded: $0) }, isNegative)
  }

  /// Leaves 32 bits in every word but the last, which keeps the sign.
  private static func carry(_ words: inout [Int64]) {
    for index in 0..<words.count - 1 {
      words[index + 1] += words[index] >> 32
      words[index] &= 0xFFFF_FFFF
    }
  }

  private func bits(of digits: [UInt32], from low: Int, count: Int) -> UInt64 {
    var value: UInt64 = 0
    for place in (low..<low + count).reversed() {
      value = value << 1 | UInt64(digits[place / 32] >> UInt32(place % 32) & 1)
    }
    return value
  }

  private func hasBits(below place: Int, in digits: [UInt32]) -> Bool {
    if digits[..<(place / 32)].contains(where: { $0 != 0 }) { return true }
    return digits[place / 32] & ((1 << UInt32(place % 32)) - 1) != 0
  }
}
