public import MoaiCRDT

/// Asks why a key's value is what it is (rule §6.1).
public struct ExplanationQuery: Sendable, Hashable {
  public var key: StateKey
  /// One field of a map or element of a set; nil: all of the value.
  public var part: KeyExplanation.Part?
  /// Parts that are explained at most, and agents of a counter.
  public var limit: Int

  public init(_ key: StateKey, part: KeyExplanation.Part? = nil, limit: Int = 100) {
    self.key = key
    self.part = part
    self.limit = limit
  }
}

/// Why a key's value is what it is: part by part who put it there, what lost against it, and by which rule.
public struct KeyExplanation: Sendable, Hashable {
  /// What is overwritten as one.
  public enum Part: Sendable, Hashable {
    /// The value of a register.
    case whole
    case field(UTF8String)
    case element(StateValue)
  }

  /// Who did something, when, with which entry.
  public struct Author: Sendable, Hashable {
    public let agent: AgentID
    public let timestamp: Timestamp
    public let revision: Revision
  }

  /// A value that somebody wrote.
  public struct Source: Sendable, Hashable {
    public let value: StateValue
    /// Who first wrote it.
    public let author: Author
    /// The rewind that brought it back.
    public let restoredBy: Revision?
  }

  public enum Rule: Sendable, Hashable {
    /// Neither writer had seen the other: the later time is shown (rule §3.4).
    case earlierTime
    /// The same at equal times: the greater name.
    case smallerName
    /// The same at equal times and names: the greater value.
    case smallerValue
    /// Overwritten by somebody who had seen it.
    case overwritten(Author)
    case removed(Author)
    /// Taken back by a rewind.
    case rewound(Author)
  }

  /// A value that is not shown, and why.
  public struct Loss: Sendable, Hashable {
    public let source: Source
    public let rule: Rule
  }

  public struct PartReason: Sendable, Hashable {
    public let part: Part
    /// What is shown; nil: the part is not there.
    public let shown: Source?
    /// What lost, newest first; at most ``lossLimit``.
    public let lost: [Loss]
    /// How many lost in all.
    public let lostCount: Int
    /// Removals that did not reach what is shown, because whoever removed had not seen it (rule §4.2).
    public let survived: [Author]
  }

  /// What one agent contributes to a counter.
  public struct ShareReason: Sendable, Hashable {
    public struct Step: Sendable, Hashable {
      public let author: Author
      public let amount: Int64
      /// The share was not changed by its agent but by a rewind.
      public let isRewind: Bool
    }

    public let agent: AgentID
    public let share: Int64
    /// Entries that changed the share.
    public let entries: Int
    /// The last of them, newest first; at most ``stepLimit``.
    public let last: [Step]
  }

  public static let lossLimit = 8
  public static let stepLimit = 3

  public let key: StateKey
  /// The key as it is; nil: it is absent.
  public let reading: StateReading?
  public let type: CRDTType
  /// Who brought this incarnation into being; nil: that was before the horizon.
  public let created: Author?
  /// Who deleted the key last, and how often it was deleted in all.
  public let deleted: Author?
  public let deletions: Int
  /// In canonical order; at most the query's limit.
  public let parts: [PartReason]
  public let partCount: Int
  /// Greatest first; at most the query's limit.
  public let shares: [ShareReason]
  public let shareCount: Int
  /// What was before can no longer be told.
  public let horizon: Revision
}

extension KeyExplanation.Part {
  init(_ part: MoaiFlow.Part) {
    switch part {
    case .whole: self = .whole
    case .field(let name): self = .field(name)
    case .element(let element): self = .element(element)
    }
  }

  var part: MoaiFlow.Part {
    switch self {
    case .whole: .whole
    case .field(let name): .field(name)
    case .element(let element): .element(element)
    }
  }
}

extension Swarm {
  /// Costs a replay of the journal; keeps the last few writes of each part of the key.
  func explanation(_ query: ExplanationQuery) async throws(SwarmError) -> KeyExplanation? {
    guard query.limit > 0 else { throw .invalid(field: "/limit", "\(query.limit) is no limit") }
    let end = core.revision
    let horizon = horizon
    var trace = KeyTrace(query.key, part: query.part?.part)
    try await trace.read(journal, from: horizon, through: end)
    return trace.explanation(limit: query.limit, horizon: horizon)
  }
}
