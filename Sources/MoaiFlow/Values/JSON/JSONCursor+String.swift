import MoaiCRDT

extension JSONCursor {
  /// The string whose quotation mark is at the offset.
  mutating func string() throws(Fault) -> UTF8String {
    let start = offset + 1
    var place = start
    var allBits: UInt8 = 0
    while place < bytes.count {
      let byte = bytes[place]
      allBits |= byte
      if byte == UInt8(ascii: "\"") {
        let text = try text(UnsafeRawBufferPointer(rebasing: bytes[start..<place]), at: start, isASCII: allBits < 0x80)
        offset = place + 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: start, firstEscape: place) }
      if byte < 0x20 { throw Fault(reason: .controlCharacter, offset: place) }
      place += 1
    }
    throw Fault(reason: .unexpectedEnd(expected: "a quotation mark"), offset: bytes.count)
  }

  /// ASCII needs no validation, which is what most of the time would go into.
  private func text(_ run: UnsafeRawBufferPointer, at start: Int, isASCII: Bool) throws(Fault) -> UTF8String {
    if isASCII { return UTF8String(String(decoding: run, as: UTF8.self)) }
    guard let text = String(validating: run, as: UTF8.self) else { throw Fault(reason: .invalidUTF8, offset: start) }
    return UTF8String(text)
  }

  private mutating func escapedString(from start: Int, firstEscape: Int) throws(Fault) -> UTF8String {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: bytes[start..<firstEscape])
    var place = firstEscape
    while place < bytes.count {
      let byte = bytes[place]
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: scratch, as: UTF8.self) else {
          throw Fault(reason: .invalidUTF8, offset: start)
        }
        offset = place + 1
        return UTF8String(text)
      case UInt8(ascii: "\\"):
        place = try unescape(at: place)
      case 0..<0x20:
        throw Fault(reason: .controlCharacter, offset: place)
      default:
        scratch.append(byte)
        place += 1
      }
    }
    throw Fault(reason: .unexpectedEnd(expected: "a quotation mark"), offset: bytes.count)
  }

  /// Appends what the escape at `place` stands for and returns the place behind it.
  private mutating func unescape(at place: Int) throws(Fault) -> Int {
    guard place + 1 < bytes.count else {
      throw Fault(reason: .unexpectedEnd(expected: "an escape"), offset: bytes.count)
    }
    switch bytes[place + 1] {
    case UInt8(ascii: "\""): scratch.append(0x22)
    case UInt8(ascii: "\\"): scratch.append(0x5C)
    case UInt8(ascii: "/"): scratch.append(0x2F)
    case UInt8(ascii: "b"): scratch.append(0x08)
    case UInt8(ascii: "f"): scratch.append(0x0C)
    case UInt8(ascii: "n"): scratch.append(0x0A)
    case UInt8(ascii: "r"): scratch.append(0x0D)
    case UInt8(ascii: "t"): scratch.append(0x09)
    case UInt8(ascii: "u"): return try unescapeUnicode(at: place)
    default: throw Fault(reason: .malformedEscape, offset: place)
    }
    return place + 2
  }

  private mutating func unescapeUnicode(at place: Int) throws(Fault) -> Int {
    let first = try codeUnit(at: place)
    if let scalar = Unicode.Scalar(first) {
      scratch.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
      return place + 6
    }
    guard first < 0xDC00, place + 7 < bytes.count, bytes[place + 6] == UInt8(ascii: "\\"),
      bytes[place + 7] == UInt8(ascii: "u")
    else { throw Fault(reason: .loneSurrogate, offset: place) }
    let second = try codeUnit(at: place + 6)
    guard (0xDC00...0xDFFF).contains(second) else { throw Fault(reason: .loneSurrogate, offset: place) }
    let code = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
    guard let scalar = Unicode.Scalar(code) else { throw Fault(reason: .loneSurrogate, offset: place) }
    scratch.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
    return place + 12
  }

  /// The four hexadecimal digits of the `\uXXXX` at `place`.
  private func codeUnit(at place: Int) throws(Fault) -> UInt16 {
    var unit: UInt16 = 0
    for index in place + 2..<place + 6 {
      guard index < bytes.count else {
        throw Fault(reason: .unexpectedEnd(expected: "four hexadecimal digits"), offset: bytes.count)
      }
      let digit: UInt8
      switch bytes[index] {
      case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
      case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
      case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
      default: throw Fault(reason: .malformedEscape, offset: place)
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
