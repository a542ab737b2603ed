/// Bytes as text (RFC 4648, section 4): the standard alphabet, padded, without line breaks.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")
  /// The six bits of each character; 255 for all others.
  private static let bits: [UInt8] = {
    var bits = [UInt8](repeating: 255, count: 256)
    for (index, character) in alphabet.enumerated() { bits[Int(character)] = UInt8(index) }
    return bits
  }()

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[index + place]) : 0) }
      for place in 0..<4 {
        text.append(place <= count ? alphabet[Int(group >> (18 - 6 * UInt32(place)) & 63)] : padding)
      }
      index += 3
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for anything that ``text(_:)`` does not write: another length or character, bits behind the last byte.
  static func bytes(_ text: String) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count % 4 == 0 else { return nil }
    guard !characters.isEmpty else { return [] }
    let padded = characters.suffix(2).count { $0 == padding }
    guard padded < 2 || characters[characters.count - 2] == padding else { return nil }
    guard padded != 1 || characters[characters.count - 1] == padding else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count / 4 * 3)
    var group: UInt32 = 0
    for (index, character) in characters.enumerated() {
      let isPadding = index >= characters.count - padded
      let six = isPadding ? 0 : Base64.bits[Int(character)]
      guard six < 64 else { return nil }
      group = group << 6 | UInt32(six)
      guard index % 4 == 3 else { continue }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      bytes.append(UInt8(truncatingIfNeeded: group >> 8))
      bytes.append(UInt8(truncatingIfNeeded: group))
      group = 0
    }
    let surplus = bytes.suffix(padded)
    guard surplus.allSatisfy({ $0 == 0 }) else { return nil }
    bytes.removeLast(padded)
    return Base64.text(bytes).utf8.elementsEqual(characters) ? bytes : nil
  }
}
