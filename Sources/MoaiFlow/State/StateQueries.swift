public import MoaiCRDT

/// A key as a reader sees it.
public struct StateReading: Sendable, Hashable {
  public let key: StateKey
  public let value: StateValue
  public let type: CRDTType
  public let strategy: KeyStrategy
  /// Entries that changed the key in this incarnation.
  public let version: Int64
  /// The revision of the last of them.
  public let revision: Revision
  public let timestamp: Timestamp
  public let agent: AgentID
  /// Concurrent values that are not shown; only under the strategy `vector`.
  public let siblings: StateValue?
  /// The revision up to which the reader has now seen the swarm: what to give as `base` (rule §4.3).
  public let cursor: Cursor
}

/// A page of a listing.
public struct KeyPage: Sendable, Hashable {
  public struct Key: Sendable, Hashable {
    public let key: StateKey
    public let type: CRDTType
    public let revision: Revision
    public let version: Int64
    public let agent: AgentID
    public let timestamp: Timestamp
    /// Nil unless values were asked for.
    public let value: StateValue?
  }

  public let keys: [Key]
  /// The key to go on after; nil at the end.
  public let next: StateKey?
  public let cursor: Cursor
}

/// Where a reader of changes begins.
public enum ChangesStart: Sendable, Hashable {
  /// From the empty swarm.
  case beginning
  /// Only what comes.
  case head
  case after(RevisionReference)
  /// In the middle of a pass.
  case page(PageToken)
}

/// A question for changes (rule §5.3).
public struct ChangesQuery: Sendable, Hashable {
  public var since: ChangesStart
  public var filter: KeyFilter
  /// Keys in one page at most.
  public var limit: Int
  /// Bytes of values and operations in one page, about; at least one key is always given.
  public var maxBytes: Int
  /// Whole values instead of deltas.
  public var asValues: Bool
  /// With every part of a value who wrote it, and with the last page how far the journal has each replica's writes.
  public var withOrigins: Bool

  public init(
    since: ChangesStart, filter: KeyFilter = .all, limit: Int = 1_000, maxBytes: Int = 1 << 20, asValues: Bool = false,
    withOrigins: Bool = false
  ) {
    self.since = since
    self.filter = filter
    self.limit = limit
    self.maxBytes = maxBytes
    self.asValues = asValues
    self.withOrigins = withOrigins
  }
}

/// A page of changes: each key once, in the order of its last revision.
public struct ChangesPage: Sendable, Hashable {
  public let changes: [StateChange]
  /// The last revision applied when the page was made.
  public let head: Revision
  /// The last revision applied when the pass began: what a snapshot's first page may have shown of it.
  public let began: Revision
  /// Where the pass goes on; nil on the last page.
  public let next: PageToken?
  /// What the receiver has after the last page; nil on every other page, because context advances once, with the last.
  public let cursor: Cursor?
  /// The pass replaces everything that the receiver has: keys that it does not name are gone.
  public let isSnapshot: Bool
  /// The pass begins with this page: what a receiver still holds of a pass that it gave up is void.
  public let isFirst: Bool
  /// The replicas whose writes the journal has further than at the beginning of the pass; only on a last page, and only
  /// if origins were asked for.
  public internal(set) var replicas: [ReplicaProgress] = []

  public var hasMore: Bool { next != nil }
}
