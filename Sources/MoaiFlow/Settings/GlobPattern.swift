public import MoaiCRDT

/// A pattern over the bytes of a name: `*` matches any run, `/` included; every other byte itself (rule §4.1).
public struct GlobPattern: Sendable, Hashable {
  public let text: UTF8String
  /// What the name begins and ends with; without a star the whole name is `prefix` and there is no `suffix`.
  private let prefix: [UInt8]
  private let suffix: [UInt8]?
  /// The literal pieces between two stars, those of no bytes left out.
  private let inner: [[UInt8]]

  public init(_ text: String) {
    self.text = UTF8String(text)
    let pieces = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    prefix = pieces[0]
    suffix = pieces.count > 1 ? pieces[pieces.count - 1] : nil
    inner = pieces.dropFirst().dropLast().filter { !$0.isEmpty }
  }

  /// O(pattern × name) at worst, without backtracking over more than one star. Allocates nothing: every write asks for
  /// every policy.
  public func matches(_ name: UTF8String) -> Bool {
    var name = name.string
    return name.withUTF8 { matches($0) }
  }

  private func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let suffix else { return name.elementsEqual(prefix) }
    guard name.starts(with: prefix) else { return false }
    var rest = name[prefix.count...]
    for piece in inner {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.count >= suffix.count && rest.suffix(suffix.count).elementsEqual(suffix)
  }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
  fileprivate func firstRange(of piece: [UInt8]) -> Range<Int>? {
    guard count >= piece.count else { return nil }
    for start in startIndex...(endIndex - piece.count)
    where self[start..<(start + piece.count)].elementsEqual(piece) {
      return start..<(start + piece.count)
    }
    return nil
  }
}
