import MoaiCRDT

/// The order of the canonical bytes (rule §2.1), found without building them: it is the order in which sets are
/// written and ties are broken. It is no numeric order: `10` comes before `9`.
extension StateValue: Comparable {
  public static func < (left: Self, right: Self) -> Bool {
    canonicalOrder(left, right) < 0
  }

  /// Negative, zero or positive, as `memcmp` of the canonical bytes would answer.
  package static func canonicalOrder(_ left: Self, _ right: Self) -> Int {
    order(left, endsWith: nil, right, endsWith: nil)
  }

  /// Only a number can be a proper prefix of another value (`1` of `12` and of `1.0`), so the bytes that follow the
  /// two values are all the context that their order can depend on.
  private static func order(
    _ left: Self, endsWith leftEnd: UInt8?, _ right: Self, endsWith rightEnd: UInt8?
  ) -> Int {
    switch (left, right) {
    case (.null, .null): return 0
    case (.string(let l), .string(let r)): return orderQuoted(l, r)
    case (.array(let l), .array(let r)): return order(l, r)
    case (.object(let l), .object(let r)): return order(l.fields, r.fields)
    default:
      if let l = left.numberText, let r = right.numberText {
        return order(l, endsWith: leftEnd, r, endsWith: rightEnd)
      }
      return Int(left.firstByte) - Int(right.firstByte)
    }
  }

  private static func order(_ left: [Self], _ right: [Self]) -> Int {
    for index in 0..<min(left.count, right.count) {
      let result = order(
        left[index], endsWith: index + 1 < left.count ? comma : bracket,
        right[index], endsWith: index + 1 < right.count ? comma : bracket)
      if result != 0 { return result }
    }
    if left.count == right.count { return 0 }
    if left.isEmpty { return Int(bracket) - Int(right[0].firstByte) }
    if right.isEmpty { return Int(left[0].firstByte) - Int(bracket) }
    return left.count < right.count ? 1 : -1  // "]" comes after ","
  }

  private static func order(_ left: [StateObject.Field], _ right: [StateObject.Field]) -> Int {
    for index in 0..<min(left.count, right.count) {
      let names = orderQuoted(left[index].name, right[index].name)
      if names != 0 { return names }
      let result = order(
        left[index].value, endsWith: index + 1 < left.count ? comma : brace,
        right[index].value, endsWith: index + 1 < right.count ? comma : brace)
      if result != 0 { return result }
    }
    return right.count - left.count  // "}" comes after "," and after a quotation mark
  }

  private static func order(
    _ left: String, endsWith leftEnd: UInt8?, _ right: String, endsWith rightEnd: UInt8?
  ) -> Int {
    var leftBytes = left.utf8.makeIterator()
    var rightBytes = right.utf8.makeIterator()
    while true {
      switch (leftBytes.next(), rightBytes.next()) {
      case (nil, nil): return 0
      case (nil, let r?): return leftEnd.map { Int($0) - Int(r) } ?? -1
      case (let l?, nil): return rightEnd.map { Int(l) - Int($0) } ?? 1
      case (let l?, let r?): if l != r { return Int(l) - Int(r) }
      }
    }
  }

  /// The order of the texts between quotation marks: a text that ends is followed by `"`, which comes after a space
  /// and after `!`; a byte that is escaped begins with `\`.
  private static func orderQuoted(_ left: UTF8String, _ right: UTF8String) -> Int {
    var leftBytes = left.string.utf8.makeIterator()
    var rightBytes = right.string.utf8.makeIterator()
    while true {
      let l = leftBytes.next()
      let r = rightBytes.next()
      guard l != r else {
        if l == nil { return 0 }
        continue
      }
      let leftText = l.map(JSONEscape.text) ?? [quotationMark]
      let rightText = r.map(JSONEscape.text) ?? [quotationMark]
      return leftText.lexicographicallyPrecedes(rightText) ? -1 : 1
    }
  }

  private var numberText: String? {
    switch self {
    case .int(let value): String(value)
    case .double(let value): canonicalText(of: value)
    default: nil
    }
  }

  private var firstByte: UInt8 {
    switch self {
    case .null: UInt8(ascii: "n")
    case .bool(let value): value ? UInt8(ascii: "t") : UInt8(ascii: "f")
    case .int, .double: numberText?.utf8.first ?? 0
    case .string: quotationMark
    case .array: UInt8(ascii: "[")
    case .object: UInt8(ascii: "{")
    }
  }
}

private let comma = UInt8(ascii: ",")
private let bracket = UInt8(ascii: "]")
private let brace = UInt8(ascii: "}")
private let quotationMark = UInt8(ascii: "\"")
