/// How far a swarm must have come before it answers, and how long a reader waits for that (rule §5.7).
public struct Freshness: Sendable {
  /// What the answer must have seen.
  public let revision: RevisionReference
  /// How long the reader waits at most; zero: it does not wait.
  public let limit: Duration
  public let clock: any Clock<Duration>

  public init(
    atLeast revision: RevisionReference, within limit: Duration, clock: any Clock<Duration> = .continuous
  ) {
    self.revision = revision
    self.limit = limit
    self.clock = clock
  }
}

/// A connection whose answers are as fresh as asked for. What is written and followed through it does not wait.
struct FreshConnection: SwarmConnection {
  let connection: any SwarmConnection
  let freshness: Freshness

  func answer(_ query: Query) async throws(SwarmError) -> Answer {
    try await connection.answer(query, atLeast: freshness)
  }

  func answer(_ query: Query, atLeast other: Freshness) async throws(SwarmError) -> Answer {
    _ = try await answer(.status)
    return try await connection.answer(query, atLeast: other)
  }

  func perform(_ request: Request) async throws(SwarmError) -> Outcome {
    try await connection.perform(request)
  }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    try await connection.send(deltas, as: author, via: via)
  }

  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    try await connection.heartbeat(heartbeat, of: agent)
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    try await connection.rewind(request, as: author, via: via, id: id, dryRun: dryRun)
  }

  func synchronize(
    _ key: StateKey, timeout: Duration, quorum: Int?, id: CommandID, through coordinator: any Coordinator,
    clock: any Clock<Duration>
  ) async throws(SwarmError) -> SyncReport {
    try await connection.synchronize(
      key, timeout: timeout, quorum: quorum, id: id, through: coordinator, clock: clock)
  }

  func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    connection.follow(since: since, matching: filter)
  }
}

extension StateAccess {
  /// A reader whose answers have seen `revision`: each of its calls waits for it, at most `limit` (rule §5.7).
  ///
  /// For an agent that was told of a revision by somebody else and reads elsewhere: from a swarm that another process
  /// writes, or from another hub.
  ///
  /// - Throws: its calls throw `.notReached` when the time is over, or the calling task is cancelled; `.trimmed` for a
  ///   cursor of another epoch; `.busy` if too many readers wait.
  public func atLeast(
    _ revision: RevisionReference, within limit: Duration, clock: any Clock<Duration> = .continuous
  ) -> StateReader {
    StateReader(
      connection: FreshConnection(
        connection: connection, freshness: Freshness(atLeast: revision, within: limit, clock: clock)),
      coordinator: coordinator)
  }
}

extension MemoryAccess {
  /// A reader whose answers have seen `revision`, as ``StateAccess/atLeast(_:within:clock:)`` gives one. Volatile entries
  /// have no revision, and do not wait.
  public func atLeast(
    _ revision: RevisionReference, within limit: Duration, clock: any Clock<Duration> = .continuous
  ) -> MemoryReader {
    MemoryReader(
      connection: FreshConnection(
        connection: connection, freshness: Freshness(atLeast: revision, within: limit, clock: clock)),
      volatile: volatile)
  }
}
