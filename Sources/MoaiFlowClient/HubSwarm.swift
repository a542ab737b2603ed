import MoaiCRDT
public import MoaiFlow

/// A swarm that a hub serves, in the place of an embedded one: everything that is written over ``SwarmConnection`` works
/// with it, offline replicas too.
public struct HubSwarm: Sendable {
  public let name: SwarmName
  let transport: HubTransport
  /// The memory entries of this process that are not in the journal.
  let volatileMemory = VolatileMemory()

  init(name: SwarmName, transport: HubTransport) {
    self.name = name
    self.transport = transport
  }

  /// Shared state for reading.
  public var state: StateReader { StateReader(connection: self, coordinator: NobodyHere()) }

  /// Namespaced memory for reading.
  public var memory: MemoryReader { MemoryReader(connection: self, volatile: volatileMemory) }

  /// Who takes part, and how they are.
  public var agents: HeartbeatMonitor { HeartbeatMonitor(connection: self) }

  /// Takes part as an agent.
  ///
  /// - Throws: `.invalid` if the name is not allowed (rule §1.1).
  public func join(as agent: String) throws(SwarmError) -> HubMember {
    let name: AgentID
    do { name = try AgentID(agent) } catch { throw .invalid(field: "/agent_id", error.problem) }
    return HubMember(agent: name, swarm: self)
  }

  func call(
    _ method: HubMethod, _ path: String..., query: [(String, String?)] = [], body: StateValue? = nil,
    wait: Duration = .zero
  ) -> HubCall {
    HubCall(method, ["v1", "swarms", name.description] + path, query: query, body: body, wait: wait)
  }
}

extension HubSwarm: SwarmConnection {
  public func perform(_ request: Request) async throws(SwarmError) -> Outcome {
    let id = request.id ?? transport.newID()
    switch request.body {
    case .write(let writes):
      let body: StateValue = [
        "agent_id": .string(request.author.name), "writes": .array(writes.map(\.json)),
      ]
      return try await outcome(of: call(.post, "batch", body: body), id) { try Outcome(batch: $0) }
    case .settings(let settings):
      let agent = request.author == .operator ? nil : request.author.description
      return try await outcome(of: call(.put, query: [("agent_id", agent)], body: settings.json), id) {
        Outcome(settingsAt: try $0.integer("revision"))
      }
    case .replica(let command): return try await perform(command, as: request.author, id)
    case .agent(let command): return try await perform(command, id)
    }
  }

  /// The outcome of a command; a refusal is one, too.
  func outcome(
    of call: HubCall, _ id: CommandID, _ read: (WireObject) throws -> Outcome
  ) async throws(SwarmError) -> Outcome {
    do {
      return try await transport.write(call, id: id).reading(read)
    } catch .refused(let refusal) {
      return Outcome(revision: 0, refused: refusal)
    }
  }

  public func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    var fields = request.fields
    if author != .operator { fields.add("author", .string(author.name)) }
    if dryRun { fields.add("dry_run", true) }
    let answer = try await transport.write(
      call(.post, "rewind", body: fields.json), id: id ?? transport.newID())
    return try answer.reading { try RewindReport(answer: $0) }
  }

  public func synchronize(
    _ key: StateKey, timeout: Duration, quorum: Int?, id: CommandID, through coordinator: any Coordinator,
    clock: any Clock<Duration>
  ) async throws(SwarmError) -> SyncReport {
    var body = WireFields()
    body.add("timeout_ms", integer: timeout.milliseconds)
    body.add("quorum", quorum.map { .int(Int64($0)) })
    let answer = try await transport.write(
      call(.post, "state", key.description, "sync", body: body.json, wait: timeout), id: id)
    return try answer.reading { try SyncReport(answer: $0) }
  }

  public func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    ChangeFeed(source: self, since: since, filter: filter)
  }
}

extension Duration {
  var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Agents have their sessions with the hub, which asks them itself.
private struct NobodyHere: Coordinator {
  func agents() async -> [AgentID] { [] }

  func send(_ message: AgentMessage, to agent: AgentID) async throws(CoordinatorError) { throw .unknownAgent(agent) }

  func broadcast(
    _ message: AgentMessage, excluding excluded: Set<AgentID>
  ) async -> [AgentID: CoordinatorError] { [:] }

  func request(
    _ message: AgentMessage, to agents: [AgentID], timeout: Duration,
    late: @escaping @Sendable (AgentID, AgentReply) async -> Bool
  ) async -> GatheredAnswers { GatheredAnswers(answers: [], missing: [:]) }
}
