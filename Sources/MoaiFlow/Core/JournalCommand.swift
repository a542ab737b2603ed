public import MoaiCRDT

/// What the journal's keeper asks: about the journal itself, not about what agents share.
public enum JournalCommand: Sendable, Hashable {
  /// Moves the horizon to `to`: what lies before it can no longer be asked for (rule §4.3). Author: `journal`.
  case trim(to: Revision)
  /// Lets journal time pass, so that what is due happens although nobody writes. Author: `journal`.
  case tick
  /// Stands where an entry was that could not be read. It changes nothing. Author: `operator`.
  case skip(SkippedEntry)
}

/// What an operator has given up.
public struct SkippedEntry: Sendable, Hashable {
  /// Bytes of a reason at most.
  public static let reasonLimit = 1_024

  /// A hash of the bytes that stood there; nil: there were none.
  public let hash: UInt64?
  /// Why it was skipped, for whoever reads the log later.
  public let reason: UTF8String

  /// `reason`: cut to ``reasonLimit`` bytes.
  public init(hash: UInt64?, reason: String) {
    self.hash = hash
    var cut = reason
    while cut.utf8.count > SkippedEntry.reasonLimit { cut.removeLast() }
    self.reason = UTF8String(cut)
  }
}

/// Why a command about the journal changed nothing.
@nonexhaustive
public enum JournalRefusal: Error, Sendable, Hashable {
  /// The horizon cannot move beyond what was there before the entry.
  case notThere(Revision, head: Revision)
}

extension JournalRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notThere(let revision, let head):
      "the horizon cannot move to revision \(revision); the journal ends at revision \(head)"
    }
  }
}

/// How far back the journal can be asked, as its entries say (decision 0005).
struct Horizon: Sendable, Equatable {
  /// Bases and questions before this revision are refused.
  private(set) var revision: Revision = 0
  /// The entry that moved it there; 0: none did.
  private(set) var movedAt: Revision = 0

  init() {}

  init(revision: Revision, movedAt: Revision) {
    self.revision = revision
    self.movedAt = movedAt
  }

  /// Applies the entry at `entry`; the horizon never goes back.
  mutating func move(to revision: Revision, by entry: Revision) throws(JournalRefusal) {
    guard revision < entry else { throw .notThere(revision, head: entry - 1) }
    guard revision > self.revision else { return }
    self.revision = revision
    movedAt = entry
  }
}

// MARK: - Binary form

extension JournalCommand {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .trim(let revision):
      writer.byte(1)
      writer.varint(UInt64(revision))
    case .tick: writer.byte(2)
    case .skip(let skipped):
      writer.byte(3)
      writer.bool(skipped.hash != nil)
      if let hash = skipped.hash { writer.fixed64(hash) }
      writer.string(skipped.reason.string)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("journal") {
    case 1: self = .trim(to: try reader.revision("journal.trim"))
    case 2: self = .tick
    case 3:
      let hash = try reader.bool("skip.hash") ? try reader.fixed64("skip.hash") : nil
      self = .skip(
        SkippedEntry(hash: hash, reason: try reader.string("skip.reason", limit: SkippedEntry.reasonLimit)))
    case let tag: throw reader.failure(.malformed("\(tag) is no journal command"), "journal")
    }
  }
}

extension JournalRefusal {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .notThere(let revision, let head):
      writer.byte(1)
      writer.varint(UInt64(revision))
      writer.varint(UInt64(head))
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("refusal.journal") {
    case 1:
      let revision = try reader.revision("refusal.horizon")
      self = .notThere(revision, head: try reader.revision("refusal.head"))
    case let tag: throw reader.failure(.malformed("\(tag) is no refusal"), "refusal.journal")
    }
  }
}
