import MoaiCRDT

/// What a swarm's keys may hold and who may write them. Changed by entries, so every hub decides by the same ones.
public struct SwarmSettings: Sendable, Hashable {
  /// The first policy whose pattern matches a key decides (rule §4.1).
  public var policies: [KeyPolicy]
  public var limits: SwarmLimits

  public init(policies: [KeyPolicy] = [], limits: SwarmLimits = SwarmLimits()) {
    self.policies = policies
    self.limits = limits
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

  public init(
    pattern: GlobPattern, type: CRDTType? = nil, strategy: KeyStrategy? = nil, writers: [GlobPattern]? = nil
  ) {
    self.pattern = pattern
    self.type = type
    self.strategy = strategy
    self.writers = writers
  }

  func allows(_ agent: AgentID) -> Bool {
    writers?.contains { $0.matches(agent.name) } ?? true
  }
}

/// Limits that decide outcomes; the same on every hub.
public struct SwarmLimits: Sendable, Hashable {
  /// Canonical JSON bytes of one key's value. Raising it costs memory for every reader of a large key.
  public var valueBytes: Int
  /// Writes of one register or field that have not seen each other. Raising it lets writers with stale bases pile up
  /// more of them before they are told to read again.
  public var siblings: Int

  public static let maximumValueBytes = 512 * 1024

  public init(valueBytes: Int = SwarmLimits.maximumValueBytes, siblings: Int = 64) {
    self.valueBytes = valueBytes
    self.siblings = siblings
  }
}
