extension JSONCursor {
  /// The number that begins at the offset: an integer if it has neither fraction nor exponent.
  mutating func number() throws(Fault) -> StateValue {
    let start = offset
    var place = start
    let isNegative = bytes[place] == UInt8(ascii: "-")
    if isNegative { place += 1 }

    let digitsStart = place
    var mantissa: UInt64 = 0
    var digits = 0
    var isExact = true
    place = take(digitsAt: place, into: &mantissa, count: &digits, isExact: &isExact)
    guard place > digitsStart else { throw malformed(at: place) }
    guard place == digitsStart + 1 || bytes[digitsStart] != UInt8(ascii: "0") else {
      throw Fault(reason: .malformedNumber, offset: start)
    }

    var isInteger = true
    var exponent = 0
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      isInteger = false
      let fraction = place + 1
      place = take(digitsAt: fraction, into: &mantissa, count: &digits, isExact: &isExact)
      guard place > fraction else { throw malformed(at: place) }
      exponent = fraction - place
    }
    if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      place += 1
      let isDown = place < bytes.count && bytes[place] == UInt8(ascii: "-")
      if isDown || (place < bytes.count && bytes[place] == UInt8(ascii: "+")) { place += 1 }
      var written: UInt64 = 0
      var count = 0
      var fits = true
      let exponentStart = place
      place = take(digitsAt: place, into: &written, count: &count, isExact: &fits)
      guard place > exponentStart else { throw malformed(at: place) }
      if fits, written < 10_000 { exponent += isDown ? -Int(written) : Int(written) } else { isExact = false }
    }

    offset = place
    if isInteger {
      guard isExact, let value = Int64(magnitude: mantissa, isNegative: isNegative) else {
        throw Fault(reason: .integerOutOfRange, offset: start)
      }
      return .int(value)
    }
    if isExact, mantissa <= 1 << 53, (-22...22).contains(exponent) {
      // Both are exact doubles, so one operation rounds once (Clinger 1990).
      let power = powersOfTen[abs(exponent)]
      let magnitude = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
      return .double(magnitude == 0 ? 0 : isNegative ? -magnitude : magnitude)
    }
    guard let value = Double(String(decoding: bytes[start..<place], as: UTF8.self)) else {
      throw Fault(reason: .malformedNumber, offset: start)
    }
    guard value.isFinite else { throw Fault(reason: .doubleOutOfRange, offset: start) }
    return .double(value == 0 ? 0 : value)
  }

  /// Reads digits onto `mantissa`, clears `isExact` where they do not fit, and returns the place behind them.
  @inline(__always)
  private func take(
    digitsAt start: Int, into mantissa: inout UInt64, count: inout Int, isExact: inout Bool
  ) -> Int {
    var place = start
    while place < bytes.count {
      let digit = bytes[place] &- 0x30
      guard digit < 10 else { break }
      let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(UInt64(digit))
      if overflow || carry { isExact = false } else { mantissa = sum }
      place += 1
    }
    count += place - start
    return place
  }

  private func malformed(at place: Int) -> Fault {
    place < bytes.count
      ? Fault(reason: .malformedNumber, offset: place)
      : Fault(reason: .unexpectedEnd(expected: "a digit"), offset: place)
  }
}

extension Int64 {
  fileprivate init?(magnitude: UInt64, isNegative: Bool) {
    if isNegative {
      guard magnitude <= Int64.min.magnitude else { return nil }
      self = Int64(truncatingIfNeeded: 0 &- magnitude)
    } else {
      guard magnitude <= UInt64(Int64.max) else { return nil }
      self = Int64(magnitude)
    }
  }
}

private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]
