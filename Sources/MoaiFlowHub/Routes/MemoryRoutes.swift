import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  private static let memory = "\(swarm)/memory"

  static let memoryRoutes: [Route] = [
    Route(.get, memory, "How much each namespace holds", needs: .read) { request, hub in
      .json(try await hub.swarm(of: request).memory.statistics().json)
    },
    Route(
      .get, "\(memory)/{namespace}", "List entries of a namespace", needs: .read, query: ["pattern", "limit", "after"]
    ) { request, hub in
      let page = try await hub.swarm(of: request).memory.list(
        try request.segment("namespace"), matching: request.query["pattern"] ?? "*", after: request.query["after"],
        limit: try request.query.limit())
      return .json(page.json)
    },
    Route(.delete, "\(memory)/{namespace}", "Delete every entry of a namespace", needs: .write, query: ["agent_id"]) {
      request, hub in
      let member = try await hub.swarm(of: request).join(as: try request.authorInQuery())
      return .json(["deleted": .int(Int64(try await member.memory.clear(try request.segment("namespace"))))])
    },
    Route(
      .get, "\(memory)/{namespace}/{key}", "Retrieve an entry", needs: .read, query: []
    ) { request, hub in
      let (namespace, key) = (try request.segment("namespace"), try request.segment("key"))
      guard let entry = try await hub.swarm(of: request).memory.retrieve(key, from: namespace) else {
        throw Problem.unknownEntry(namespace, key)
      }
      return .json(entry.json)
    },
    Route(
      .put, "\(memory)/{namespace}/{key}", "Store an entry", needs: .write, query: ["persistent"]
    ) { request, hub in
      let body = try request.object(allowing: ["value", "agent_id"])
      let author = try request.author(in: body)
      let member = try await hub.swarm(of: request).join(as: author)
      let (namespace, key) = (try request.segment("namespace"), try request.segment("key"))
      let value = try body.required("value")
      let (entry, isNew) = try await member.memory.storing(
        value, as: key, in: namespace, isPersistent: try request.query.flag("persistent") ?? true,
        id: try request.commandID(of: author.agent))
      // Somebody may have deleted it since.
      let stored: StateValue = [
        "namespace": StateValue(namespace), "key": StateValue(key), "value": value, "persistent": true,
        "agent_id": .string(author.agent.name),
      ]
      return .json(entry?.json ?? stored, status: isNew ? .created : .ok)
    },
    Route(
      .delete, "\(memory)/{namespace}/{key}", "Delete an entry", needs: .write, query: ["agent_id"]
    ) { request, hub in
      let author = try request.authorInQuery()
      let (namespace, key) = (try request.segment("namespace"), try request.segment("key"))
      let member = try await hub.swarm(of: request).join(as: author)
      guard try await member.memory.delete(key, from: namespace, id: try request.commandID(of: author.agent)) else {
        throw Problem.unknownEntry(namespace, key)
      }
      return .json(["deleted": true])
    },
  ]
}

extension Problem {
  fileprivate static func unknownEntry(_ namespace: String, _ key: String) -> Problem {
    Problem(.notFound, "unknown_key", "there is no \(key) in \(namespace)")
  }
}
