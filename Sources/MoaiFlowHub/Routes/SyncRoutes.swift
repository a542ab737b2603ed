import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let syncRoutes: [Route] = [
    Route(.get, "\(swarm)/agents/{agent}/events", "An agent's session, as a stream", needs: .write) { request, hub in
      try await AgentStream.open(for: request, hub)
    },
    Route(
      .post, "\(swarm)/state/{state_key}/sync", "Ask every agent with a session for what it has of a key", needs: .write
    ) {
      request, hub in
      let body = try request.optionalObject(allowing: ["timeout_ms", "quorum"])
      let key = try request.stateKey()
      let timeout = try body.integer("timeout_ms", in: 1...300_000, default: 5_000)
      let quorum = try body.optionalInteger("quorum", in: 0...1_000_000)
      let swarm = try await hub.swarm(of: request)
      let report = try await swarm.state.synchronize(
        key.name.string, timeout: .milliseconds(timeout), quorum: quorum.map { Int($0) },
        id: try request.commandID(of: .operator) ?? hub.newCommandID())
      return .json(report.json)
    },
    Route(.post, "\(swarm)/sync/{request_id}/responses", "Answer what a session was asked", needs: .write) {
      request, hub in
      let body = try request.object(allowing: ["agent_id", "base", "ops", "value"])
      let agent = try request.author(in: body).agent
      let response = try SyncResponse(fields: body)
      let swarm = try await hub.swarm(of: request)
      let id = try request.requestID()
      let fate = await hub.requests.take(
        response, under: try request.commandID(of: agent), to: id, of: agent, in: swarm.name, now: hub.now())
      guard let fate else {
        throw Problem(.notFound, "unknown_request", "\(agent) is not asked anything under this id, or has answered")
      }
      switch fate {
      case .inTime: return HubResponse(status: .accepted, body: .json(["accepted": true]))
      case .joined: return .json(["joined": true])
      case .discarded: return .json(["joined": false])
      }
    },
  ]
}

extension HubRequest {
  fileprivate func requestID() throws(Problem) -> CommandID {
    let text = try segment("request_id")
    guard let id = CommandID(hexadecimal: text) else {
      throw Problem(.notFound, "unknown_request", "there is no request \(text.prefix(64))")
    }
    return id
  }
}

extension SyncResponse {
  /// `{base, ops}`, `{base?, value}`, or neither: the agent has nothing that the journal does not have.
  fileprivate init(fields: WireObject) throws(WireError) {
    let base = try fields.reference("base")
    switch (fields.object["ops"], fields.object["value"]) {
    case (let ops?, nil):
      guard base != nil else { throw WireError(fields.place.appending("base"), "operations have a base") }
      self.init(
        base: base, .operations(try StateOperation.list(json: ops, at: fields.place.appending("ops"))))
    case (nil, let value?): self.init(base: base, .value(value))
    case (nil, nil): self.init(base: base, .nothing)
    default: throw WireError(fields.place.appending("value"), "goes not with ops")
    }
  }
}
