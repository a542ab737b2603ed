import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let replicaRoutes: [Route] = [
    Route(.get, "\(swarm)/replicas", "List offline replicas", query: HubRequest.freshness) { request, hub in
      guard case .replicas(let statuses) = try await hub.answer(.replicas, of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      return .json(["replicas": .array(statuses.map(\.json)), "next": .null])
    },
    Route(.delete, "\(swarm)/replicas/{replica}", "Close an offline replica", query: ["agent_id"]) { request, hub in
      let replica = try request.replica()
      let author = try request.author(orOperator: "agent_id")
      let swarm = try await hub.swarm(of: request)
      guard try await swarm.replicas().contains(where: { $0.replica == replica }) else {
        throw Problem(.notFound, "unknown_replica", "there is no replica \(replica)")
      }
      try await swarm.closeReplica(replica, as: author)
      return .json(["closed": true])
    },
  ]
}

extension HubRequest {
  fileprivate func replica() throws(Problem) -> ReplicaID {
    let text = try segment("replica")
    guard text.utf8.count == 16, let number = UInt64(text, radix: 16), ReplicaID(number).description == text else {
      throw .invalid("/replica", "must be sixteen hexadecimal digits")
    }
    return ReplicaID(number)
  }
}
