import MoaiCRDT

/// The escapes of the canonical form: `"` and `\`, the five short ones, `\u00xx` in lower case for the other control
/// characters, and nothing else.
enum JSONEscape {
  /// The canonical bytes of one byte of a string.
  static func text(_ byte: UInt8) -> [UInt8] {
    switch byte {
    case 0x22: [backslash, 0x22]
    case backslash: [backslash, backslash]
    case 0x08: [backslash, UInt8(ascii: "b")]
    case 0x09: [backslash, UInt8(ascii: "t")]
    case 0x0A: [backslash, UInt8(ascii: "n")]
    case 0x0C: [backslash, UInt8(ascii: "f")]
    case 0x0D: [backslash, UInt8(ascii: "r")]
    case 0..<0x20: [backslash, UInt8(ascii: "u"), 0x30, 0x30, hexDigit(byte >> 4), hexDigit(byte & 15)]
    default: [byte]
    }
  }

  @inline(__always)
  static func isNeeded(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == 0x22 || byte == backslash
  }

  /// Bytes of the string with its quotation marks and escapes.
  static func quotedSize(_ text: UTF8String) -> Int {
    var size = text.count + 2
    for byte in text.string.utf8 where isNeeded(byte) {
      size += JSONEscape.text(byte).count - 1
    }
    return size
  }

  private static let backslash: UInt8 = 0x5C

  private static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x61 - 10 + nibble
  }
}
