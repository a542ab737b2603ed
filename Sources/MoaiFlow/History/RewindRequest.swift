/// Asks for recorded writes to be taken back (rules §6.2, §6.3).
public struct RewindRequest: Sendable, Hashable {
  public enum Target: Sendable, Hashable {
    /// What an agent wrote after `since` and no rewind has taken back yet.
    case agent(AgentID, since: RevisionReference)
    /// What one entry wrote. Of a rewind: what it took back returns.
    case revision(RevisionReference)
  }

  public var target: Target
  /// Patterns of keys to which the rewind is limited; empty: every key.
  public var keys: [GlobPattern]
  /// Whether to go on without the keys that cannot be rewound. Otherwise one of them stops the whole rewind.
  public var isPartial: Bool

  public init(_ target: Target, keys: [GlobPattern] = [], isPartial: Bool = false) {
    self.target = target
    self.keys = keys
    self.isPartial = isPartial
  }

  /// Patterns in one request, and bytes of one, at most.
  static let patternLimit = 1_000
  static let patternBytes = 512

  func matches(_ key: StateKey) -> Bool {
    keys.isEmpty || keys.contains { $0.matches(key.name) }
  }
}

/// What a rewind did, or would do.
public struct RewindReport: Sendable, Hashable {
  /// What becomes of one key.
  public struct Change: Sendable, Hashable {
    public let key: StateKey
    public let type: CRDTType
    /// Entries whose writes on this key are taken back, or return.
    public let entries: Int
    /// What turns the value before into the value after.
    public let content: StateChange.Content
    /// Nil: the key is absent.
    public let before: StateValue?
    public let after: StateValue?
  }

  /// Why a key cannot be rewound.
  public enum Obstacle: Error, Sendable, Hashable {
    /// The key was deleted by a write that would be taken back, and created anew since.
    case recreated
    /// A counter, or an agent's share of it, would leave what it may hold.
    case bound
    /// The value would take more bytes, or more parts would come back, than one entry or key may hold.
    case tooLarge
    /// Needs history from before the horizon.
    case trimmed
  }

  public struct Blocked: Sendable, Hashable {
    public let key: StateKey
    public let obstacle: Obstacle
  }

  /// A write that was made after reading what is taken back. It is kept.
  public struct Dependent: Sendable, Hashable {
    public let revision: Revision
    public let agent: AgentID
    public let key: StateKey
  }

  /// Dependents that are named at most.
  public static let dependentLimit = 100

  /// The entry that did it; nil: nothing was written.
  public internal(set) var revision: Revision?
  /// The last revision that was taken into account.
  public let plannedAt: Revision
  /// Entries whose writes are taken back, or return.
  public let entries: Int
  /// The keys whose value changes, in the order of their bytes.
  public let changes: [Change]
  /// Keys on which everything that would be taken back was overwritten or removed by others since.
  public let unchanged: [StateKey]
  public let blocked: [Blocked]
  /// The first of them, by revision.
  public let dependents: [Dependent]
  /// How many there are in all.
  public let dependentCount: Int

  /// Whether there was anything to take back.
  public var isEmpty: Bool { changes.isEmpty && unchanged.isEmpty && blocked.isEmpty }
}

extension RewindReport.Obstacle: CustomStringConvertible {
  public var description: String {
    switch self {
    case .recreated: "it was deleted by what would be taken back, and created anew since"
    case .bound: "the counter would leave what it may hold"
    case .tooLarge: "the value, or the parts that come back, would be too large"
    case .trimmed: "that needs history from before the horizon"
    }
  }
}
