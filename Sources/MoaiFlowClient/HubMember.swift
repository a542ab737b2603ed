import MoaiCRDT
public import MoaiFlow

/// A participant with a name, over a hub: the way to write.
public struct HubMember: Sendable {
  public let agent: AgentID
  public let swarm: HubSwarm

  public var state: StateSynchronizer {
    StateSynchronizer(connection: swarm, coordinator: swarm.state.coordinator, agent: agent, via: nil)
  }

  public var memory: MemoryProvider {
    MemoryProvider(connection: swarm, volatile: swarm.volatileMemory, agent: agent, via: nil)
  }

  /// Its registration and its signs of life.
  public var presence: AgentPresence { AgentPresence(connection: swarm, agent: agent) }

  /// Opens this agent's session: `handler` gets its messages one at a time and answers requests. Returns when the calling
  /// task is cancelled, or another session takes this one's place; over lost connections it goes on.
  ///
  /// - Throws: `.denied`, and what else will not pass.
  public func listen(_ handler: @escaping SwarmCoordinator.Handler) async throws(SwarmError) {
    try await AgentSession(agent: agent, swarm: swarm, handler: handler).run()
  }
}
