public import MoaiCRDT

/// The one way into a swarm: the embedded ``Swarm`` conforms, and so does the client of a hub. Facets, command line and
/// examples are written once over it.
public protocol SwarmConnection: Sendable {
  /// Performs a command. Returns when its entry is durable and applied, so the caller reads its own write.
  ///
  /// A refusal is an outcome, not an error. Cancelling the calling task does not take the command back.
  func perform(_ request: Request) async throws(SwarmError) -> Outcome

  /// Performs a replica's deltas in their order, each as an entry of its own: one answer for each, in order. Those
  /// behind one that was not taken are not taken either.
  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome]

  /// Answers a query from the state as applied so far.
  func answer(_ query: Query) async throws(SwarmError) -> Answer

  /// Answers a query once the swarm has applied everything up to a revision (rule §5.7).
  ///
  /// - Throws: `.notReached` when the time is over or the calling task is cancelled; `.trimmed` for a cursor of another
  ///   epoch; `.busy` if too many readers wait.
  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer

  /// Takes recorded writes back (rules §6.2, §6.3), or says what that would do. Returns when its entry is durable and
  /// applied. What cannot be rewound is part of the report, not an error.
  ///
  /// `id`: repeating a rewind under its id does nothing again and names the entry that did it.
  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport

  /// Takes an agent's heartbeat; returns how it is. Nothing of it is durable.
  ///
  /// - Throws: `.refused` if no such agent is registered.
  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus

  /// Full sync of one key (rule §5.1): asks every agent that has a session, merges what they have, tells everybody.
  func synchronize(
    _ key: StateKey, timeout: Duration, quorum: Int?, id: CommandID, through coordinator: any Coordinator,
    clock: any Clock<Duration>
  ) async throws(SwarmError) -> SyncReport

  /// The changes after `since`, first those that were missed, then without an end (rule §5.4).
  func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed
}

/// Which keys a reader wants.
public struct KeyFilter: Sendable, Hashable {
  /// Keys that begin with these bytes.
  public let prefix: String

  public static let all = KeyFilter(prefix: "")

  public init(prefix: String) {
    self.prefix = prefix
  }

  func matches(_ key: StateKey) -> Bool {
    prefix.isEmpty || key.name.string.utf8.starts(with: prefix.utf8)
  }
}

/// What may be asked of a swarm.
@nonexhaustive
public enum Query: Sendable, Hashable {
  case value(StateKey, at: RevisionReference?)
  case keys(KeyFilter, after: StateKey?, limit: Int, includingValues: Bool)
  case changes(ChangesQuery)
  case settings
  case status
  case history(HistoryQuery)
  case explanation(ExplanationQuery)
  /// What the journal knows of an offline replica.
  case replica(ReplicaID)
  /// All offline replicas, those that were closed too.
  case replicas
  case agent(AgentID)
  /// Those that are registered, in the order of their names.
  case agents(after: AgentID?, limit: Int)
}

/// The answer to a ``Query``, case by case.
@nonexhaustive
public enum Answer: Sendable, Hashable {
  /// Nil: the key is absent.
  case value(StateReading?)
  case keys(KeyPage)
  case changes(ChangesPage)
  case settings(SwarmSettings, revision: Revision)
  case status(SwarmStatus)
  case history(HistoryPage)
  /// Nil: no entry that can be read ever changed the key.
  case explanation(KeyExplanation?)
  /// Nil: the journal does not know it.
  case replica(ReplicaStatus?)
  case replicas([ReplicaStatus])
  /// Nil: it is not registered.
  case agent(AgentStatus?)
  case agents(AgentPage)
}

/// Where a swarm stands.
public struct SwarmStatus: Sendable, Hashable {
  public let name: SwarmName
  public let epoch: Epoch
  public let revision: Revision
  /// Entries after this revision can be read; history reaches back to here.
  public let horizon: Revision
  /// The revision of the newest checkpoint; 0: none.
  public let checkpoint: Revision
  /// Keys that are not deleted.
  public let keys: Int
  public let chain: UInt64

  public var cursor: Cursor { Cursor(epoch: epoch, revision: revision) }
}
