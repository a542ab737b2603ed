/// The public half of a token: names it in lists and logs. Sixteen hexadecimal digits.
public struct TokenID: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let description: String

  public init?(_ text: String) {
    guard text.utf8.count == 16, text.utf8.allSatisfy(TokenID.isDigit) else { return nil }
    description = text
  }

  init(using generator: inout some RandomNumberGenerator) {
    let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
    description = String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
  }

  public static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
