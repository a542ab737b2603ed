import Crypto

/// A token as its bearer holds it, `moai_<id>_<64 hexadecimal digits>`: shown once, stored nowhere.
///
/// The prefix lets scanners of repositories and logs find one that leaked.
public struct TokenSecret: Sendable {
  public let id: TokenID
  private let secret: [UInt8]

  init(id: TokenID, using generator: inout some RandomNumberGenerator) {
    self.id = id
    secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// Nil: this is no token of ours.
  init?(_ text: Substring) {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "moai", let id = TokenID(String(parts[1])), parts[2].utf8.count == 64 else {
      return nil
    }
    guard let secret = [UInt8](hexadecimal: parts[2]) else { return nil }
    self.id = id
    self.secret = secret
  }

  var hash: [UInt8] { Array(SHA256.hash(data: secret)) }

  /// Whether the hash is this secret's, found out in the same time whatever differs.
  func matches(_ hash: [UInt8]) -> Bool { SHA256.hash(data: secret) == hash }

  /// The text that the bearer needs.
  public var text: String { "moai_\(id)_\(secret.hexadecimal)" }
}

extension [UInt8] {
  init?(hexadecimal text: some StringProtocol) {
    let digits = text.utf8.map { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
      default: nil
      }
    }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(high << 4 | low)
    }
    self = bytes
  }

  var hexadecimal: String {
    reduce(into: "") { text, byte in
      text += String(byte >> 4, radix: 16)
      text += String(byte & 15, radix: 16)
    }
  }
}
