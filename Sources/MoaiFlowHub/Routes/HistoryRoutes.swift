import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let historyRoutes: [Route] = [
    Route(
      .get, "\(swarm)/state/{state_key}/history", "Who changed a key, newest first", needs: .read,
      query: HubRequest.freshness.union(["limit", "before"])
    ) { request, hub in
      let query = HistoryQuery(
        try request.stateKey(), limit: try request.query.limit(), before: try request.query.reference("before"))
      guard case .history(let page) = try await hub.answer(.history(query), of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      return .json(page.json)
    },
    Route(
      .get, "\(swarm)/state/{state_key}/explain", "Why a value is what it is", needs: .read,
      query: HubRequest.freshness.union(["limit", "field", "element"])
    ) { request, hub in
      let key = try request.stateKey()
      let query = ExplanationQuery(key, part: try request.part(), limit: try request.query.limit())
      guard
        case .explanation(let explanation) = try await hub.answer(
          .explanation(query), of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      guard let explanation else { throw Problem.unknownKey(key) }
      return .json(explanation.json)
    },
    Route(.post, "\(swarm)/rewind", "Take back what an agent, or one entry, wrote", needs: .write) { request, hub in
      let body = try request.object(
        allowing: ["agent_id", "since", "revision", "keys", "partial", "dry_run", "author"])
      let rewind = try RewindRequest(fields: body)
      let author =
        try request.caller.author(
          orOperator: try body.name("author") { text throws(NameError) in try AgentID(text) })
      try request.caller.require(rewind, by: author)
      let swarm = try await hub.swarm(of: request)
      let report = try await swarm.rewind(
        rewind, as: author.agent, via: author.via, id: try request.commandID(of: author.agent),
        dryRun: try body.flag("dry_run"))
      return .json(report.json)
    },
  ]
}

extension Caller {
  /// What an agent wrote itself it may take back; anything else needs an admin (rule §6.3).
  fileprivate func require(_ rewind: RewindRequest, by author: Author) throws(Problem) {
    if case .agent(author.agent, _) = rewind.target { return }
    try require(.administer)
  }
}

extension HubRequest {
  /// One field of a map, or one element of a set as JSON.
  fileprivate func part() throws(Problem) -> KeyExplanation.Part? {
    switch (query["field"], query["element"]) {
    case (nil, nil): return nil
    case (let field?, nil): return .field(UTF8String(field))
    case (nil, let element?):
      do { return .element(try JSONParser().parse(element)) } catch {
        throw .invalid("/element", "is no JSON: \(error.detail)")
      }
    default: throw .invalid("/element", "goes not with field")
    }
  }
}
