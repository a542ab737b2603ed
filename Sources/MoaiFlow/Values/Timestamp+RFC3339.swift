public import MoaiCRDT

/// Why a text is no time on the wire (rule §1.5).
public struct TimestampError: Error, Hashable, Sendable, CustomStringConvertible {
  public let problem: String
  /// Whether `logical` is to blame and not the text.
  public let isAboutLogical: Bool

  public var description: String { problem }

  init(_ problem: String, isAboutLogical: Bool = false) {
    self.problem = problem
    self.isAboutLogical = isAboutLogical
  }
}

extension Timestamp {
  /// The milliseconds that RFC 3339 can write: the years 0000 to 9999.
  public static let writableMilliseconds: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

  /// Reads `2025-11-29T10:00:00.123Z`, with any offset; without one it is UTC (rule §1.5).
  ///
  /// The microseconds within a millisecond become the counter, finer digits are cut. Refused: microseconds that are
  /// not zero together with an explicit `logical`; leap seconds, which no count of milliseconds can hold; a time that
  /// leaves the years 0000 to 9999 in UTC.
  public init(rfc3339 text: String, logical: UInt16? = nil) throws(TimestampError) {
    var scanner = DateScanner(text)
    let year = try scanner.number(4, "a year of four digits", in: 0...9999)
    try scanner.expect("-")
    let month = try scanner.number(2, "a month", in: 1...12)
    try scanner.expect("-")
    let day = try scanner.number(2, "a day of that month", in: 1...daysIn(month: month, of: year))
    try scanner.expect("T")
    let hour = try scanner.number(2, "an hour", in: 0...23)
    try scanner.expect(":")
    let minute = try scanner.number(2, "a minute", in: 0...59)
    try scanner.expect(":")
    let second = try scanner.number(2, "a second (leap seconds are refused)", in: 0...59)
    let microseconds = try scanner.fraction()
    let offset = try scanner.offset()
    guard scanner.isAtEnd else { throw TimestampError("something follows the time") }

    let minutes = (daysSinceEpoch(year: year, month: month, day: day) * 24 + hour) * 60 + minute - offset
    let milliseconds = (minutes * 60 + second) * 1000 + microseconds / 1000
    guard Timestamp.writableMilliseconds.contains(milliseconds) else {
      throw TimestampError("the time in UTC leaves the years 0000 to 9999")
    }
    let counter = microseconds % 1000
    guard counter == 0 || logical == nil else {
      throw TimestampError("the timestamp has microseconds, which are the counter already", isAboutLogical: true)
    }
    self.init(milliseconds: milliseconds, logical: logical ?? UInt16(counter))
  }

  /// The milliseconds as `2025-11-29T10:00:00.123Z`, always with three digits; the counter goes into `logical`. A time
  /// outside the years 0000 to 9999 is written as the nearest one inside.
  public var rfc3339: String {
    let range = Timestamp.writableMilliseconds
    let clamped = min(max(milliseconds, range.lowerBound), range.upperBound)
    let day = clamped.quotientRoundedDown(by: 86_400_000)
    let rest = clamped - day * 86_400_000
    let date = civilDate(daysSinceEpoch: day)
    var text = ""
    text.reserveCapacity(24)
    text.append(padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T")
    text.append(padded(rest / 3_600_000, 2) + ":" + padded(rest / 60_000 % 60, 2) + ":" + padded(rest / 1000 % 60, 2))
    text.append("." + padded(rest % 1000, 3) + "Z")
    return text
  }
}

private func padded(_ number: Int64, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private struct DateScanner {
  private let bytes: [UInt8]
  private var place = 0

  init(_ text: String) {
    bytes = Array(text.utf8.prefix(64))
  }

  var isAtEnd: Bool { place == bytes.count }

  private var digit: Int64? {
    guard place < bytes.count, (0x30...0x39).contains(bytes[place]) else { return nil }
    return Int64(bytes[place] - 0x30)
  }

  mutating func number(
    _ digits: Int, _ what: StaticString, in range: ClosedRange<Int64>
  ) throws(TimestampError) -> Int64 {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let next = digit else { throw TimestampError("\(what) is missing at character \(place + 1)") }
      value = value * 10 + next
      place += 1
    }
    guard range.contains(value) else { throw TimestampError("\(value) is not \(what)") }
    return value
  }

  mutating func expect(_ separator: Unicode.Scalar) throws(TimestampError) {
    guard take(separator) else { throw TimestampError("\"\(separator)\" is missing at character \(place + 1)") }
  }

  /// The letters T and Z may be small (RFC 3339, 5.6).
  private mutating func take(_ separator: Unicode.Scalar) -> Bool {
    guard place < bytes.count else { return false }
    let byte = bytes[place]
    let isSmall = (0x61...0x7A).contains(byte)
    guard (isSmall ? byte - 0x20 : byte) == UInt8(ascii: separator) else { return false }
    place += 1
    return true
  }

  /// Microseconds of the second; finer digits are cut.
  mutating func fraction() throws(TimestampError) -> Int64 {
    guard take(".") else { return 0 }
    guard digit != nil else { throw TimestampError("a digit is missing after the point") }
    var microseconds: Int64 = 0
    var weight: Int64 = 100_000
    while let next = digit {
      microseconds += next * weight
      weight /= 10
      place += 1
    }
    return microseconds
  }

  /// Minutes that the written time is ahead of UTC.
  mutating func offset() throws(TimestampError) -> Int64 {
    if isAtEnd || take("Z") { return 0 }
    let isAhead = take("+")
    guard isAhead || take("-") else { throw TimestampError("an offset such as Z or +01:00 is missing") }
    let hours = try number(2, "an offset in hours", in: 0...23)
    try expect(":")
    let minutes = try number(2, "an offset in minutes", in: 0...59)
    return (isAhead ? 1 : -1) * (hours * 60 + minutes)
  }
}

private func daysIn(month: Int64, of year: Int64) -> Int64 {
  switch month {
  case 4, 6, 9, 11: 30
  case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  default: 31
  }
}

/// Days of the proleptic Gregorian calendar since 1970-01-01, in eras of 400 years that begin on 1 March (Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
private func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
  let shifted = month <= 2 ? year - 1 : year
  let era = shifted.quotientRoundedDown(by: 400)
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

private func civilDate(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let shifted = days + 719_468
  let era = shifted.quotientRoundedDown(by: 146_097)
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

extension Int64 {
  fileprivate func quotientRoundedDown(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
