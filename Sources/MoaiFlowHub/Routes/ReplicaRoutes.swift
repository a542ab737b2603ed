import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  private static let replica = "\(swarm)/replicas/{replica}"

  static let replicaRoutes: [Route] = [
    Route(
      .get, "\(swarm)/replicas", "List offline replicas", needs: .read,
      query: HubRequest.freshness.union(["limit", "after"])
    ) { request, hub in
      let swarm = try await hub.swarm(of: request)
      let limit = try request.query.limit()
      let after = try request.query.replica("after")
      guard case .status(let status) = try await hub.answer(.status, of: swarm, to: request) else {
        throw Problem.mismatch
      }
      let rest = try await swarm.replicas().drop { status in after.map { status.replica <= $0 } ?? false }
      let page = rest.prefix(limit)
      return .json([
        "replicas": .array(page.map(\.json)),
        "next": rest.count > limit ? page.last.map { StateValue($0.replica.description) } ?? .null : .null,
        "revision": .int(status.revision),
      ])
    },
    Route(.get, replica, "What the journal knows of an offline replica", needs: .read, query: HubRequest.freshness) {
      request, hub in
      let replica = try request.replica()
      guard
        case .replica(let status) = try await hub.answer(
          .replica(replica), of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      guard let status else { throw Problem.unknownReplica(replica) }
      return .json(status.json)
    },
    Route(.delete, replica, "Close an offline replica", needs: .write, query: ["agent_id", "even_if_unknown"]) {
      request, hub in
      let replica = try request.replica()
      let author = try request.authorOrOperator()
      let swarm = try await hub.swarm(of: request)
      // An id may be given up before the journal has heard of it: others may have met its writes.
      if try request.query.flag("even_if_unknown") != true {
        guard case .replica(_?) = try await swarm.answer(.replica(replica)) else {
          throw Problem.unknownReplica(replica)
        }
      }
      return .json(try await ReplicaRequest(request, hub).perform(.close(replica), as: author).json)
    },
    Route(.post, "\(replica)/deltas", "Send what an offline replica wrote", needs: .write) { request, hub in
      try await ReplicaRequest(request, hub).deltas()
    },
    Route(.post, "\(replica)/announce", "Say that writes of a replica were met, up to one", needs: .write) {
      request, hub in
      let body = try request.object(allowing: ["n", "agent_id"])
      let command = ReplicaCommand.announce(try request.replica(), upTo: try body.number("n"))
      return .json(try await ReplicaRequest(request, hub).perform(command, as: try request.author(in: body)).json)
    },
    Route(.post, "\(replica)/resolve", "Take a refused delta off the list", needs: .write) { request, hub in
      let body = try request.object(allowing: ["n", "agent_id"])
      let author = try request.caller.author(
        orOperator: try body.name("agent_id") { text throws(NameError) in try AgentID(text) })
      let command = ReplicaCommand.resolve(try request.replica(), first: try body.number("n"))
      return .json(try await ReplicaRequest(request, hub).perform(command, as: author).json)
    },
    Route(.post, "\(swarm)/state/{state_key}/rights", "Reserve a counter's rights for offline spending", needs: .write)
    {
      request, hub in
      let body = try request.object(allowing: ["replica", "amount", "up", "agent_id"])
      let author = try request.author(in: body)
      let right = CounterRight(
        down: try body.integer("amount", in: 0...Int64.max, default: 0),
        up: try body.integer("up", in: 0...Int64.max, default: 0))
      guard !right.isEmpty else { throw Problem.invalid("/amount", "must be greater than 0") }
      let command = ReplicaCommand.reserve(try body.replica(), try request.stateKey(), right)
      return .json(try await ReplicaRequest(request, hub).perform(command, as: author).json)
    },
  ]
}

/// What an offline replica asks of a swarm, from the request to the answer.
private struct ReplicaRequest {
  /// Deltas in one request at most; their bytes are bounded by the body's.
  private static let limit = 1_000

  private let request: HubRequest
  private let hub: HubContext

  init(_ request: HubRequest, _ hub: HubContext) {
    self.request = request
    self.hub = hub
  }

  func perform(_ command: ReplicaCommand, as author: Author) async throws -> ReplicaOutcome {
    let outcome = try await hub.swarm(of: request).perform(
      Request(
        author: author.agent, via: author.via, id: try request.commandID(of: author.agent), form: request.form,
        body: .replica(command)))
    switch outcome.result {
    case .replica(let result): return result
    case .refused(let refusal): throw Problem(refusal)
    default: throw Problem.mismatch
    }
  }

  /// `{accepted_to, refused: [{n, revision, code, detail}], outcomes}`. A delta that does not follow on what the journal has
  /// is a problem if it is the first; else it ends the list, and what came before it stays.
  func deltas() async throws -> HubResponse {
    let replica = try request.replica()
    let body = try request.object(allowing: ["deltas", "agent_id"])
    let author = try request.author(in: body)
    let swarm = try await hub.swarm(of: request)
    var deltas: [ReplicaDelta] = []
    for (json, place) in try body.elements("deltas") ?? [] {
      deltas.append(try ReplicaDelta(json: json, of: replica, in: swarm.epoch, at: place))
    }
    guard 1...ReplicaRequest.limit ~= deltas.count else {
      throw Problem.invalid("/deltas", "\(deltas.count) deltas; 1 to \(ReplicaRequest.limit) go at once")
    }
    let outcomes = try await swarm.send(deltas, as: author.agent, via: author.via)
    if case .refused(let refusal)? = outcomes.first?.result { throw Problem(refusal) }
    var accepted: UInt64 = 0
    var refused: [StateValue] = []
    for (delta, outcome) in zip(deltas, outcomes) {
      guard case .replica(let result) = outcome.result else { continue }
      accepted = delta.last
      guard case .kept(let refusal) = result else { continue }
      refused.append([
        "n": .int(Int64(delta.first)), "revision": .int(outcome.revision), "code": StateValue(refusal.code),
        "detail": StateValue(refusal.description),
      ])
    }
    return .json([
      "accepted_to": .int(Int64(accepted)), "refused": .array(refused), "outcomes": .array(outcomes.map(\.json)),
    ])
  }
}

extension Problem {
  fileprivate static func unknownReplica(_ replica: ReplicaID) -> Problem {
    Problem(.notFound, "unknown_replica", "there is no replica \(replica)")
  }
}

extension HubRequest {
  fileprivate func replica() throws(Problem) -> ReplicaID {
    try ReplicaID(digits: try segment("replica"), field: "/replica")
  }
}

extension QueryItems {
  fileprivate func replica(_ name: String) throws(Problem) -> ReplicaID? {
    guard let text = self[name] else { return nil }
    return try ReplicaID(digits: text, field: "/\(name)")
  }
}

extension ReplicaID {
  fileprivate init(digits text: String, field: String) throws(Problem) {
    guard text.utf8.count == 16, let number = UInt64(text, radix: 16), ReplicaID(number).description == text else {
      throw .invalid(field, "must be sixteen hexadecimal digits")
    }
    self.init(number)
  }
}
