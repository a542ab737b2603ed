import MoaiFlowTesting
import Synchronization

@testable import MoaiFlow

/// A connection whose every second call that changes something is done, but never answered.
struct LossyConnection: SwarmConnection {
  let swarm: Swarm

  init(_ swarm: Swarm) {
    self.swarm = swarm
  }

  func perform(_ request: Request) async throws(SwarmError) -> Outcome { try await swarm.perform(request) }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    _ = try await swarm.send(Array(deltas.prefix(1)), as: author, via: via)
    throw .outcomeUnknown("the line is dead")
  }

  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    try await swarm.heartbeat(heartbeat, of: agent)
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    try await swarm.rewind(request, as: author, via: via, id: id, dryRun: dryRun)
  }

  func answer(_ query: Query) async throws(SwarmError) -> Answer { try await swarm.answer(query) }

  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await swarm.answer(query, atLeast: freshness)
  }

  nonisolated func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    swarm.follow(since: since, matching: filter)
  }
}

/// A store that fails when told to.
final class FailingReplicaStore: ReplicaStore {
  let memory = InMemoryReplicaStore()
  let failure = Mutex<JournalError?>(nil)

  func load() async throws(JournalError) -> [StoredRecord] { try await memory.load() }

  func commit(_ changes: [StoredRecord]) async throws(JournalError) {
    if let error = failure.withLock({ $0 }) { throw error }
    try await memory.commit(changes)
  }

  func close() async throws(JournalError) { try await memory.close() }
}

/// A store whose commits wait while its gate is closed.
final class GatedReplicaStore: ReplicaStore {
  let memory = InMemoryReplicaStore()
  let gate = Gate()

  func load() async throws(JournalError) -> [StoredRecord] { try await memory.load() }

  func commit(_ changes: [StoredRecord]) async throws(JournalError) {
    await gate.pass()
    try await memory.commit(changes)
  }

  func close() async throws(JournalError) { try await memory.close() }
}
