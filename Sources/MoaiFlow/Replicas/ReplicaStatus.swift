public import MoaiCRDT

/// What the journal knows of an offline replica.
public struct ReplicaStatus: Sendable, Hashable {
  public let replica: ReplicaID
  /// Its agent; of one that was only announced, who did that.
  public let owner: AgentID
  /// Nothing has come from the replica itself: another one has met it, and said so.
  public let isOnlyAnnounced: Bool
  /// The number of its last write that the journal has, and the hash of the delta that it was in.
  public let accepted: UInt64
  public let hash: UInt64
  /// The number of the last of its writes that another replica has met; 0: none was.
  public let announced: UInt64
  public let isClosed: Bool
  /// Journal time of its last entry, in milliseconds since 1970.
  public let lastSeen: Int64
  /// Its newest deltas, oldest first, at most 256.
  public let recent: [AcceptedDelta]
  /// Its deltas that a rule refused and nobody has resolved yet.
  public let kept: [KeptDelta]
  /// What it may still spend, by key.
  public let rights: [StateKey: CounterRight]
}

/// How far the journal has a replica's writes.
public struct ReplicaProgress: Sendable, Hashable {
  public let replica: ReplicaID
  public let accepted: UInt64
  /// The number of the last of its writes that another replica has met; 0: none was.
  public let announced: UInt64
  /// It will send nothing more under this id.
  public let isClosed: Bool
}

extension SwarmConnection {
  func status(of replica: ReplicaID) async throws(SwarmError) -> ReplicaStatus? {
    guard case .replica(let status) = try await answer(.replica(replica)) else { mismatch() }
    return status
  }

  /// All offline replicas that the journal knows, in the order of their ids.
  public func replicas() async throws(SwarmError) -> [ReplicaStatus] {
    guard case .replicas(let statuses) = try await answer(.replicas) else { mismatch() }
    return statuses
  }

  /// Ends a replica, in the name of its agent or of the operator: what it reserved is free again.
  public func closeReplica(_ replica: ReplicaID, as author: AgentID = .operator) async throws(SwarmError) {
    try await performReplica(.close(replica), as: author)
  }

  /// Takes a refused delta off the list: its writes are given up, or were made in another way.
  public func resolveDelta(
    _ first: UInt64, of replica: ReplicaID, as author: AgentID = .operator
  ) async throws(SwarmError) {
    try await performReplica(.resolve(replica, first: first), as: author)
  }

  @discardableResult
  func performReplica(_ command: ReplicaCommand, as author: AgentID) async throws(SwarmError) -> ReplicaOutcome {
    let outcome = try await perform(Request(author: author, body: .replica(command)))
    switch outcome.result {
    case .replica(let result): return result
    case .refused(let refusal): throw .refused(refusal)
    default: mismatch()
    }
  }
}
