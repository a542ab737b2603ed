/// What a full sync asks an agent for.
public struct SyncRequest: Sendable, Hashable {
  /// Answers are matched by this id.
  public let id: CommandID
  public let key: StateKey
  /// How long the asker waits.
  public let timeout: Duration

  package init(id: CommandID, key: StateKey, timeout: Duration) {
    self.id = id
    self.key = key
    self.timeout = timeout
  }
}

/// What an agent has of a key (rule §5.2).
public struct SyncResponse: Sendable, Hashable {
  public enum Content: Sendable, Hashable {
    /// What the agent did since `base` and has not sent yet.
    case operations([StateOperation])
    /// The value as the agent has it.
    case value(StateValue)
    /// The agent has nothing that the journal does not have.
    case nothing
  }

  /// The revision that the agent had seen; nil: it does not know, and its value is reported, not merged, unless the key
  /// does not exist.
  public let base: RevisionReference?
  public let content: Content

  public init(base: RevisionReference?, _ content: Content) {
    self.base = base
    self.content = content
  }
}

/// What a full sync did (rule §5.1).
public struct SyncReport: Sendable, Hashable {
  /// A write of an agent that took part.
  public struct Contribution: Sendable, Hashable {
    public enum Fate: Sendable, Hashable {
      /// Written at this revision.
      case merged(Revision)
      /// The journal had it already.
      case alreadyThere
      /// It came without a base over an existing key: what it would have overwritten is unknown.
      case withoutBase
      case refused(String)
    }

    public let agent: AgentID
    public let content: SyncResponse.Content
    public let fate: Fate
  }

  public let key: StateKey
  public let asked: Int
  public let quorum: Int
  /// Who answered, in the order of the answers.
  public let responders: [AgentID]
  public let missing: [AgentID: MissingReason]
  /// The answers that contradicted each other or writes that they had not seen; empty where there was no conflict.
  public let conflicts: [Contribution]
  public let contributions: [Contribution]
  /// Writes whose value is no longer shown, and whose they were.
  public let discarded: [Overwritten]
  /// The key afterwards; nil: absent.
  public let result: StateReading?
  /// The revision that the swarm had reached afterwards.
  public let revision: Revision
  public let duration: Duration
}
