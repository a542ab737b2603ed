import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  private static let agent = "\(swarm)/agents/{agent}"

  static let agentRoutes: [Route] = [
    Route(
      .get, "\(swarm)/agents", "Who is registered, and how they are", needs: .read,
      query: HubRequest.freshness.union(["limit", "after"])
    ) { request, hub in
      let after = try request.query.name("after") { text throws(NameError) in try AgentID(text) }
      let query = Query.agents(after: after, limit: try request.query.limit())
      guard case .agents(let page) = try await hub.answer(query, of: hub.swarm(of: request), to: request) else {
        throw Problem.mismatch
      }
      return .json(page.json)
    },
    Route(.get, agent, "How an agent is", needs: .read, query: HubRequest.freshness) { request, hub in
      let agent = try request.agent()
      guard case .agent(let status) = try await hub.answer(.agent(agent), of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      guard let status else { throw Problem(.agent(.unknown(agent))) }
      return .json(status.json)
    },
    Route(.put, agent, "Register an agent: its next incarnation begins", needs: .write) { request, hub in
      let author = try request.author(as: try request.agent())
      let body = try request.optionalObject(allowing: AgentProfile.Change.fieldNames.union(["agent_id"]))
      let agent = try request.agent(in: body)
      let profile = try AgentProfile.Change(fields: body)
      let swarm = try await hub.swarm(of: request)
      let outcome = try await swarm.perform(.register(agent, profile), as: author, of: request)
      guard case .registered(let incarnation, let isNew) = outcome else { throw Problem.mismatch }
      guard let status = try await swarm.agents.status(of: agent.description) else {
        throw Problem(.agent(.unknown(agent)))
      }
      guard case .object(let fields) = status.json else { throw Problem.mismatch }
      // Of a request that is repeated, the incarnation that it began.
      return .json(
        .object(fields.setting("incarnation", to: .int(incarnation))), status: isNew ? .created : .ok)
    },
    Route(.delete, agent, "An agent leaves", needs: .write, query: ["agent_id"]) { request, hub in
      let agent = try request.agent()
      let author = try request.author(as: agent)
      let swarm = try await hub.swarm(of: request)
      _ = try await swarm.perform(.unregister(agent), as: author, of: request)
      return .json(["unregistered": true])
    },
    Route(.post, "\(agent)/heartbeat", "A sign of life", needs: .write) { request, hub in
      _ = try request.author(as: try request.agent())
      let body = try request.optionalObject(allowing: Heartbeat.fieldNames.union(["agent_id"]))
      let agent = try request.agent(in: body)
      let swarm = try await hub.swarm(of: request)
      return .json(try await swarm.heartbeat(try Heartbeat(fields: body), of: agent).json)
    },
  ]
}

extension HubRequest {
  /// The agent that the path names.
  func agent() throws(Problem) -> AgentID {
    try name("agent") { text throws(NameError) in try AgentID(text) }
  }

  /// The same, which the body may name, too.
  func agent(in body: WireObject) throws(Problem) -> AgentID {
    let agent = try agent()
    let named: AgentID?
    do { named = try body.name("agent_id") { text throws(NameError) in try AgentID(text) } } catch {
      throw Problem(error)
    }
    guard named == nil || named == agent else { throw .invalid("/agent_id", "must be the agent of the path") }
    return agent
  }

  /// Who writes where the path says whose it is.
  func author(as agent: AgentID) throws(Problem) -> Author {
    guard let author = try caller.author(named: agent) else { throw Problem.mismatch }
    return author
  }
}

extension Swarm {
  fileprivate func perform(
    _ command: AgentCommand, as author: Author, of request: HubRequest
  ) async throws -> AgentOutcome {
    let outcome = try await perform(
      Request(
        author: author.agent, via: author.via, id: try request.commandID(of: author.agent), form: request.form,
        body: .agent(command)))
    switch outcome.result {
    case .agent(let result): return result
    case .refused(let refusal): throw Problem(refusal)
    default: throw Problem.mismatch
    }
  }
}
