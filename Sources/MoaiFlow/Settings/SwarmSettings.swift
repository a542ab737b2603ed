import MoaiCRDT

/// What a swarm's keys may hold and who may write them. Changed by entries, so every hub decides by the same ones.
public struct SwarmSettings: Sendable, Hashable {
  /// The first policy whose pattern matches a key decides (rule §4.1).
  public var policies: [KeyPolicy]
  public var limits: SwarmLimits
  public var retention: HistoryRetention

  public init(
    policies: [KeyPolicy] = [], limits: SwarmLimits = SwarmLimits(), retention: HistoryRetention = HistoryRetention()
  ) {
    self.policies = policies
    self.limits = limits
    self.retention = retention
  }

  func policy(for key: StateKey) -> KeyPolicy? {
    policies.first { $0.pattern.matches(key.name) }
  }
}

/// What the keys that a pattern matches hold, and who writes them.
public struct KeyPolicy: Sendable, Hashable {
  public var pattern: GlobPattern
  /// Nil: the first write decides.
  public var type: CRDTType?
  public var strategy: KeyStrategy?
  /// Patterns of agents' names; nil: everybody writes.
  public var writers: [GlobPattern]?
  /// What a counter may be at least and at most (rule §4.6); nil: any 64-bit integer.
  public var bounds: CounterBounds
  /// Milliseconds of journal time after which a key that nobody changed is deleted (rule §4.1); nil: it stays.
  public var idleMilliseconds: Int64?

  public init(
    pattern: GlobPattern, type: CRDTType? = nil, strategy: KeyStrategy? = nil, writers: [GlobPattern]? = nil,
    bounds: CounterBounds = CounterBounds(), idleMilliseconds: Int64? = nil
  ) {
    self.pattern = pattern
    self.type = type
    self.strategy = strategy
    self.writers = writers
    self.bounds = bounds
    self.idleMilliseconds = idleMilliseconds
  }

  func allows(_ agent: AgentID) -> Bool {
    writers?.contains { $0.matches(agent.name) } ?? true
  }
}

/// How much of the journal stays readable: what is older may be trimmed behind a checkpoint, and is then gone for
/// history, explain, rewind and time travel. With neither bound everything is kept.
public struct HistoryRetention: Sendable, Hashable {
  /// Entries of the last so many milliseconds of journal time stay.
  public var milliseconds: Int64?
  /// The last so many entries stay.
  public var entries: Int64?

  public init(milliseconds: Int64? = nil, entries: Int64? = nil) {
    self.milliseconds = milliseconds
    self.entries = entries
  }

  /// Whether anything may ever be trimmed.
  public var isBounded: Bool { milliseconds != nil || entries != nil }
}

/// Limits that decide outcomes; the same on every hub.
public struct SwarmLimits: Sendable, Hashable {
  /// Canonical JSON bytes of one key's value. Raising it costs memory for every reader of a large key.
  public var valueBytes: Int
  /// Writes of one register or field that have not seen each other. Raising it lets writers with stale bases pile up
  /// more of them before they are told to read again.
  public var siblings: Int
  /// Milliseconds of journal time after which an offline replica that sent nothing is closed (rule §5.6). Raising it
  /// keeps what it reserved longer from others; lowering it makes replicas that were away long take a new name.
  public var replicaIdleMilliseconds: Int64

  public static let maximumValueBytes = 512 * 1024
  /// Thirty days.
  public static let defaultReplicaIdle: Int64 = 30 * 24 * 60 * 60 * 1000

  public init(
    valueBytes: Int = SwarmLimits.maximumValueBytes, siblings: Int = 64,
    replicaIdleMilliseconds: Int64 = SwarmLimits.defaultReplicaIdle
  ) {
    self.valueBytes = valueBytes
    self.siblings = siblings
    self.replicaIdleMilliseconds = replicaIdleMilliseconds
  }
}
