@testable import MoaiFlow

/// A connection on which something else happens when changes have been asked for and have not arrived yet.
struct InterruptedConnection: SwarmConnection {
  let swarm: Swarm
  let interruption: @Sendable () async throws(SwarmError) -> Void

  func perform(_ request: Request) async throws(SwarmError) -> Outcome { try await swarm.perform(request) }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    try await swarm.send(deltas, as: author, via: via)
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    try await swarm.rewind(request, as: author, via: via, id: id, dryRun: dryRun)
  }

  func answer(_ query: Query) async throws(SwarmError) -> Answer {
    let answer = try await swarm.answer(query)
    if case .changes = query { try await interruption() }
    return answer
  }

  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await swarm.answer(query, atLeast: freshness)
  }

  nonisolated func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    swarm.follow(since: since, matching: filter)
  }
}
