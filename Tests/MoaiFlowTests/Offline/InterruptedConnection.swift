@testable import MoaiFlow

/// A connection on which something else happens when an answer is on its way.
struct InterruptedConnection: SwarmConnection {
  enum Moment { case changes, replica }

  let swarm: Swarm
  var moment = Moment.changes
  let interruption: @Sendable () async throws(SwarmError) -> Void

  func perform(_ request: Request) async throws(SwarmError) -> Outcome { try await swarm.perform(request) }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    try await swarm.send(deltas, as: author, via: via)
  }

  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    try await swarm.heartbeat(heartbeat, of: agent)
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    try await swarm.rewind(request, as: author, via: via, id: id, dryRun: dryRun)
  }

  func answer(_ query: Query) async throws(SwarmError) -> Answer {
    let answer = try await swarm.answer(query)
    switch (query, moment) {
    case (.changes, .changes), (.replica, .replica): try await interruption()
    default: break
    }
    return answer
  }

  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await swarm.answer(query, atLeast: freshness)
  }

  nonisolated func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    swarm.follow(since: since, matching: filter)
  }
}
