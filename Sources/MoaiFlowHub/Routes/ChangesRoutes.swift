import HTTPTypes
import MoaiCRDT
import MoaiFlow

extension Route {
  static let changesRoutes: [Route] = [
    Route(
      .get, "\(swarm)/changes", "What changed since a revision; as a stream with Accept: text/event-stream",
      needs: .read,
      query: HubRequest.freshness.union(["since", "prefix", "limit", "max_bytes", "as", "origins"])
    ) { request, hub in
      if request.wantsEventStream { return try await ChangeStream.open(for: request, hub) }
      let form = try request.query.choice("as", of: ChangeForm.self) ?? .delta
      let query = ChangesQuery(
        since: try ChangesStart(request.query["since"]), filter: KeyFilter(prefix: request.query["prefix"] ?? ""),
        limit: try request.query.limit(),
        maxBytes: try request.query.integer("max_bytes", in: 1...(16 << 20)) ?? 1 << 20,
        asValues: form == .value, withOrigins: try request.query.flag("origins") ?? false)
      guard case .changes(let page) = try await hub.answer(.changes(query), of: hub.swarm(of: request), to: request)
      else { throw Problem.mismatch }
      var response = HubResponse.json(query.withOrigins ? page.json(withOriginsAs: form) : page.json(as: form))
      response.headers[.vary] = "Accept"
      return response
    }
  ]
}

extension ChangesStart {
  /// `head`, a revision, a cursor, or a page's `next`; the beginning where nothing is given.
  ///
  /// - Parameter field: where it stands in the request.
  init(_ text: String?, from field: String = "/since") throws(Problem) {
    switch text {
    case nil: self = .beginning
    case "head": self = .head
    case let text?:
      if let reference = RevisionReference(text) {
        self = .after(reference)
      } else if let page = PageToken(text) {
        self = .page(page)
      } else {
        throw .invalid(field, "must be a revision, a cursor, a page's next, or head")
      }
    }
  }
}
