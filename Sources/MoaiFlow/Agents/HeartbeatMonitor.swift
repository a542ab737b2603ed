public import MoaiCRDT

/// Who takes part in a swarm, who is alive, and how sure that is.
///
/// Registering, leaving, failing and recovering are entries of the journal; signs of life are not. How an agent is, is what the
/// process that answers has heard of it: silence of one, two and three of the agent's intervals makes it degraded, critical and
/// failed (rule §7.3).
public struct HeartbeatMonitor: Sendable {
  public let connection: any SwarmConnection

  package init(connection: any SwarmConnection) {
    self.connection = connection
  }

  /// How an agent is; nil: it is not registered.
  public func status(of agent: String) async throws(SwarmError) -> AgentStatus? {
    let name: AgentID
    do { name = try AgentID(agent) } catch { throw .invalid(field: "/agent_id", error.problem) }
    guard case .agent(let status) = try await connection.answer(.agent(name)) else { connection.mismatch() }
    return status
  }

  /// A page of the agents that are registered, in the order of their names; `limit` at most 1,000.
  public func list(after: AgentID? = nil, limit: Int = 100) async throws(SwarmError) -> AgentPage {
    guard case .agents(let page) = try await connection.answer(.agents(after: after, limit: limit)) else {
      connection.mismatch()
    }
    return page
  }
}

/// One agent's part in a swarm: it registers, gives signs of life, and leaves.
public struct AgentPresence: Sendable {
  public let connection: any SwarmConnection
  public let agent: AgentID
  /// The host that acts for the agent.
  public let via: AgentID?

  package init(connection: any SwarmConnection, agent: AgentID, via: AgentID? = nil) {
    self.connection = connection
    self.agent = agent
    self.via = via
  }

  /// Begins the agent's next incarnation. What is not given stays as the last one had it.
  ///
  /// Returns the incarnation: the revision at which it began.
  /// - Throws: `.invalid` naming a field that is out of its bounds; `.refused` if too many agents are registered.
  @discardableResult
  public func register(
    _ profile: AgentProfile.Change = AgentProfile.Change(), id: CommandID? = nil
  ) async throws(SwarmError) -> Revision {
    try profile.check()
    guard case .registered(let incarnation, _) = try await perform(.register(agent, profile), id) else {
      connection.mismatch()
    }
    return incarnation
  }

  /// Leaves the swarm.
  ///
  /// - Throws: `.refused` if it is not registered.
  public func unregister(id: CommandID? = nil) async throws(SwarmError) {
    _ = try await perform(.unregister(agent), id)
  }

  /// Gives a sign of life, which everything else that the agent asks for is, too.
  ///
  /// - Throws: `.refused` if it is not registered.
  @discardableResult
  public func heartbeat(_ heartbeat: Heartbeat = Heartbeat()) async throws(SwarmError) -> AgentStatus {
    try await connection.heartbeat(heartbeat, of: agent)
  }

  /// Gives signs of life, every third of the interval that the agent registered with, until the calling task is cancelled.
  /// What cannot be reached is tried again at the next one.
  ///
  /// - Throws: `.refused` once the agent is not registered any more; `.denied`, `.closed`.
  public func keepAlive(
    saying heartbeat: @escaping @Sendable () -> Heartbeat = { Heartbeat() }, clock: any Clock<Duration> = .continuous
  ) async throws(SwarmError) {
    var pause = Duration.milliseconds(AgentProfile().heartbeatInterval / 3)
    while !Task.isCancelled {
      do {
        let status = try await self.heartbeat(heartbeat())
        pause = .milliseconds(max(1, status.profile.heartbeatInterval / 3))
      } catch {
        switch error {
        case .unreachable, .busy, .outcomeUnknown, .engine: break
        default: throw error
        }
      }
      guard (try? await clock.sleep(for: pause)) != nil else { return }
    }
  }

  /// Registers the agent and keeps it alive while `body` runs. It stays registered afterwards: who has only gone for a while
  /// comes back as the next incarnation.
  ///
  /// - Throws: what `body` throws, or why the agent could not be registered. That it can no longer be kept alive ends nothing.
  public func whileAlive<Result: Sendable>(
    _ profile: AgentProfile.Change = AgentProfile.Change(),
    saying heartbeat: @escaping @Sendable () -> Heartbeat = { Heartbeat() }, clock: any Clock<Duration> = .continuous,
    _ body: () async throws -> Result
  ) async throws -> Result {
    try await register(profile)
    let life = Task { try await keepAlive(saying: heartbeat, clock: clock) }
    defer { life.cancel() }
    return try await body()
  }

  private func perform(_ command: AgentCommand, _ id: CommandID?) async throws(SwarmError) -> AgentOutcome {
    let outcome = try await connection.perform(Request(author: agent, via: via, id: id, body: .agent(command)))
    switch outcome.result {
    case .agent(let result): return result
    case .refused(let refusal): throw .refused(refusal)
    default: connection.mismatch()
    }
  }
}

/// The news about a swarm's agents, as they come: what entries did to them, and what has become of their health.
///
/// A reader that is too slow ends with `.busy`; who then lists the agents has missed nothing.
public struct AgentFeed: AsyncSequence, Sendable {
  public typealias Element = AgentNews
  public typealias Failure = SwarmError

  let swarm: Swarm

  public struct Iterator: AsyncIteratorProtocol {
    let swarm: Swarm
    private var mailbox: AgentMailbox?
    private var ready: ArraySlice<AgentNews> = []

    init(swarm: Swarm) {
      self.swarm = swarm
    }

    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(SwarmError) -> AgentNews? {
      if mailbox == nil { mailbox = await swarm.watchAgents() }
      guard let mailbox else { return nil }
      while true {
        if let news = ready.popFirst() { return news }
        switch await mailbox.take() {
        case .elements(let news): ready = news[...]
        case .overflowed: throw .busy
        case .poked: continue
        case .ended(let error):
          if let error { throw error }
          return nil
        }
      }
    }
  }

  public func makeAsyncIterator() -> Iterator { Iterator(swarm: swarm) }
}

extension Swarm {
  /// Who takes part, and how they are.
  public nonisolated var agents: HeartbeatMonitor { HeartbeatMonitor(connection: self) }

  /// The news about agents from the first call of the iterator on.
  public nonisolated var agentNews: AgentFeed { AgentFeed(swarm: self) }

  /// Looks after the agents of this process until the calling task is cancelled: whoever is silent for too long is declared
  /// failed. A hub does this by itself.
  public nonisolated func superviseAgents(
    every interval: Duration = .seconds(1), clock: any Clock<Duration> = .continuous
  ) async {
    while (try? await clock.sleep(for: interval)) != nil { await superviseAgents(now: options.wallMilliseconds()) }
  }
}
