import MoaiCRDT

/// A place in a swarm's journal: everything up to and including `revision`, in this epoch.
///
/// Its text is opaque to clients. A cursor of another epoch is recognised as such: a revision number that is used
/// again after a restore is never mistaken for the old one.
public struct Cursor: Sendable, Hashable {
  public let epoch: Epoch
  public let revision: Revision

  public init(epoch: Epoch, revision: Revision) {
    self.epoch = epoch
    self.revision = revision
  }
}

extension Cursor: CustomStringConvertible {
  /// Sixteen hexadecimal digits, a dash, the revision in decimal.
  public var description: String { "\(epoch)-\(revision)" }

  /// Reads ``description`` back; nil for any other text.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, let epoch = Epoch(digits: parts[0]), let revision = Revision(digits: parts[1]) else {
      return nil
    }
    self.init(epoch: epoch, revision: revision)
    // One place has one text: no capitals, no leading zeros.
    guard description.utf8.elementsEqual(text.utf8) else { return nil }
  }
}

/// A revision as a client names it: a cursor, or a plain number of the current epoch.
public enum RevisionReference: Sendable, Hashable {
  case revision(Revision)
  case cursor(Cursor)
}

extension RevisionReference {
  /// Reads a cursor or a decimal number; nil for any other text.
  public init?(_ text: String) {
    if let revision = Revision(digits: text.utf8[...]) {
      self = .revision(revision)
    } else if let cursor = Cursor(text) {
      self = .cursor(cursor)
    } else {
      return nil
    }
  }
}

/// Where a pass over the changes goes on (rule §5.3): it remembers the `since` of the whole pass, because deltas are
/// against that.
public struct PageToken: Sendable, Hashable {
  let epoch: Epoch
  /// Where the pass began: what the receiver has.
  let since: Revision
  /// The last revision whose changes were handed out.
  let position: Revision
  /// Where the pass began.
  package var start: Cursor { Cursor(epoch: epoch, revision: since) }
  /// The swarm's revision when the pass began.
  let began: Revision
  /// The pass replaces everything that the receiver has.
  let isSnapshot: Bool
}

extension PageToken: CustomStringConvertible {
  public var description: String { "\(epoch)-\(since)-\(position)-\(began)-\(isSnapshot ? "s" : "d")" }

  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 5, let epoch = Epoch(digits: parts[0]), let since = Revision(digits: parts[1]),
      let position = Revision(digits: parts[2]), let began = Revision(digits: parts[3])
    else { return nil }
    switch parts[4] {
    case _ where parts[4].elementsEqual("s".utf8): isSnapshot = true
    case _ where parts[4].elementsEqual("d".utf8): isSnapshot = false
    default: return nil
    }
    self.epoch = epoch
    self.since = since
    self.position = position
    self.began = began
    guard description.utf8.elementsEqual(text.utf8) else { return nil }
  }
}

extension Epoch {
  init?(digits: Substring.UTF8View) {
    guard digits.count == 16, case let text = String(Substring(digits)), let value = UInt64(text, radix: 16),
      text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") })
    else { return nil }
    self.init(value)
  }
}

extension Revision {
  /// Decimal digits only, without a sign; less than 2^47.
  fileprivate init?(digits: Substring.UTF8View) {
    guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let value = Int64(String(Substring(digits))), value < 1 << 47
    else { return nil }
    self = value
  }
}
