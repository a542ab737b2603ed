/// A participant with a name: the only way to write, so that every write has an author.
public struct SwarmMember: Sendable {
  public let agent: AgentID
  public let state: StateSynchronizer
  public let memory: MemoryProvider
  /// Its registration and its signs of life.
  public let presence: AgentPresence
  let coordinator: SwarmCoordinator

  /// Opens this agent's session: `handler` gets its messages one at a time and answers requests.
  public func listen(_ handler: @escaping SwarmCoordinator.Handler) async {
    await coordinator.register(agent, handler: handler)
  }

  /// Closes this agent's session.
  public func stopListening() async {
    await coordinator.unregister(agent)
  }
}

extension Swarm {
  /// Shared state for reading.
  public nonisolated var state: StateReader {
    StateReader(connection: self, coordinator: coordinator)
  }

  /// Namespaced memory for reading.
  public nonisolated var memory: MemoryReader {
    MemoryReader(connection: self, volatile: volatileMemory)
  }

  /// Takes part as an agent.
  ///
  /// `via`: the host that acts for the agent; entries name it beside their author.
  /// - Throws: `.invalid` if the name is not allowed (rule §1.1).
  public nonisolated func join(as agent: String, via: AgentID? = nil) async throws(SwarmError) -> SwarmMember {
    let name: AgentID
    do { name = try AgentID(agent) } catch { throw .invalid(field: "/agent_id", error.problem) }
    return SwarmMember(
      agent: name, state: StateSynchronizer(connection: self, coordinator: coordinator, agent: name, via: via),
      memory: MemoryProvider(connection: self, volatile: volatileMemory, agent: name, via: via),
      presence: AgentPresence(connection: self, agent: name, via: via),
      coordinator: coordinator)
  }
}
