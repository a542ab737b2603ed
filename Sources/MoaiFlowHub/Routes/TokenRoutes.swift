import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let tokenRoutes: [Route] = [
    Route(.get, "/v1/tokens", "List tokens, without their secrets", needs: .administer, query: ["limit", "after"]) {
      request, hub in
      let limit = try request.query.limit()
      let after = try request.query.tokenID("after")
      let tokens = (hub.access.tokens ?? []).filter { token in
        request.caller.governs(token.swarm) && after.map { $0 < token.id } ?? true
      }
      let page = tokens.prefix(limit)
      return .json([
        "tokens": .array(page.map(\.json)),
        "next": tokens.count > limit ? page.last.map { StateValue($0.id.description) } ?? .null : .null,
      ])
    },
    Route(.post, "/v1/tokens", "Make a token; its secret is shown once", needs: .administer) { request, hub in
      let grant = try TokenGrant(fields: try request.object(allowing: TokenGrant.fieldNames))
      // Whoever reaches an open hub may do everything, but not lock all others out.
      guard !hub.access.isOpen else {
        throw Problem(
          .conflict, "no_tokens", "this hub needs no tokens; the first is made by its operator: moai-flow token create")
      }
      guard request.caller.governs(grant.swarm) else {
        throw Problem(.forbidden, "forbidden", "a token for a swarm makes tokens for that swarm only")
      }
      let (token, secret) = try hub.access.create(grant, now: hub.now())
      guard case .object(let fields) = token.json else { throw Problem.mismatch }
      return .json(
        .object(try StateObject(fields.fields + [.init("token", StateValue(secret.text))])), status: .created)
    },
    Route(.delete, "/v1/tokens", "Revoke a token; its streams end", needs: .administer, query: ["id"]) { request, hub in
      guard let id = try request.query.tokenID("id") else {
        throw Problem.invalid("/id", "the query parameter is missing")
      }
      let token = hub.access.tokens?.first { $0.id == id }
      guard let token, request.caller.governs(token.swarm), try hub.access.revoke(id) else {
        throw Problem(.notFound, "unknown_token", "there is no token \(id)")
      }
      let now = hub.now()
      hub.streams.revoke { hub.access.stillAllows($0, now: now) }
      return .json(["revoked": true])
    },
  ]
}

extension Caller {
  /// Whether an admin may make and revoke the tokens of a swarm; nil: those of all swarms.
  fileprivate func governs(_ swarm: SwarmName?) -> Bool {
    guard let own = token?.swarm else { return true }
    return own == swarm
  }
}

extension QueryItems {
  fileprivate func tokenID(_ name: String) throws(Problem) -> TokenID? {
    guard let text = self[name] else { return nil }
    guard let id = TokenID(text) else { throw .invalid("/\(name)", "must be sixteen hexadecimal digits") }
    return id
  }
}
