import HTTPTypes
import MoaiCRDT
import MoaiFlow
import NIOCore

extension Route {
  static let swarmRoutes: [Route] = [
    Route(.get, "/v1/swarms", "List swarms", needs: .read, query: ["limit", "after"]) { request, hub in
      let after = try request.query.name("after", SwarmName.init)
      let limit = try request.query.limit()
      let names = try await hub.swarms.names().filter { name in
        request.caller.sees(name) && after.map { $0 < name } ?? true
      }
      let page = names.prefix(limit)
      return .json([
        "swarms": .array(page.map { ["swarm": .string($0.name)] }),
        "next": names.count > limit ? page.last.map { .string($0.name) } ?? .null : .null,
      ])
    },
    Route(.put, swarm, "Create a swarm, or replace its settings", needs: .administer, query: ["agent_id"]) {
      request, hub in
      let name = try request.name("swarm", SwarmName.init)
      let author = try request.authorOrOperator()
      // Settings that cannot be read make no swarm.
      let settings = try request.body.readableBytes > 0 ? SwarmSettings(json: try request.json()) : nil
      let id = try request.commandID(of: author.agent)
      var attempts = 0
      while true {
        attempts += 1
        do {
          let (swarm, isNew) = try await hub.swarms.obtain(name, key: request.headers[.idempotencyKey])
          if let settings {
            let body = Request.Body.settings(hub.swarms.bounded(settings))
            let outcome = try await swarm.perform(
              Request(author: author.agent, via: author.via, id: id, form: request.form, body: body))
            if case .refused(let refusal) = outcome.result { throw Problem(refusal) }
          }
          return .json(try await swarm.description(), status: isNew ? .created : .ok)
        } catch SwarmError.closed where attempts < 3 {
          // Somebody deleted it meanwhile; it is made anew.
        }
      }
    },
    Route(.get, swarm, "Where a swarm stands, and its settings", needs: .read, query: HubRequest.freshness) {
      request, hub in
      let swarm = try await hub.swarm(of: request)
      guard case .status = try await hub.answer(.status, of: swarm, to: request) else { throw Problem.mismatch }
      return .json(try await swarm.description())
    },
    Route(.delete, swarm, "Delete a swarm with all its history", needs: .administer, query: ["agent_id"]) {
      request, hub in
      _ = try request.authorOrOperator()
      try await hub.swarms.delete(
        try request.name("swarm", SwarmName.init), key: request.headers[.idempotencyKey])
      return .json(["deleted": true])
    },
  ]
}

extension Swarm {
  fileprivate func description() async throws -> StateValue {
    try await status().json(settings: try await settings().settings)
  }
}
