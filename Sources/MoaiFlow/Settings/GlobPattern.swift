public import MoaiCRDT

/// A pattern over the bytes of a name: `*` matches any run, `/` included; every other byte itself (rule §4.1).
public struct GlobPattern: Sendable, Hashable {
  public let text: UTF8String
  /// The literal pieces between the stars.
  private let pieces: [[UInt8]]

  public init(_ text: String) {
    self.text = UTF8String(text)
    pieces = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
  }

  /// O(pattern × name) at worst, without backtracking over more than one star.
  public func matches(_ name: UTF8String) -> Bool {
    var rest = Array(name.string.utf8)[...]
    guard let first = pieces.first, let last = pieces.last else { return false }
    guard pieces.count > 1 else { return rest.elementsEqual(first) }
    guard rest.starts(with: first) else { return false }
    rest = rest.dropFirst(first.count)
    for piece in pieces[1..<(pieces.count - 1)] where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func firstRange(of piece: [UInt8]) -> Range<Int>? {
    guard count >= piece.count else { return nil }
    for start in startIndex...(endIndex - piece.count)
    where self[start..<(start + piece.count)].elementsEqual(piece) {
      return start..<(start + piece.count)
    }
    return nil
  }
}
