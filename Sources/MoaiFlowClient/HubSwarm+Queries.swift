import MoaiCRDT
public import MoaiFlow

extension HubSwarm {
  public func answer(_ query: Query) async throws(SwarmError) -> Answer { try await answer(query, nil) }

  public func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    let longest = transport.options.longestWait
    let deadline = ContinuousClock.now + freshness.limit
    while true {
      let rest = max(.zero, deadline - .now)
      do {
        return try await answer(query, Freshness(atLeast: freshness.revision, within: min(rest, longest)))
      } catch .notReached where rest > longest {
        // The next request waits on.
      }
    }
  }

  private func answer(_ query: Query, _ freshness: Freshness?) async throws(SwarmError) -> Answer {
    let fresh: [(String, String?)] = [
      ("at_least", freshness?.revision.text), ("wait_ms", freshness.map { "\($0.limit.milliseconds)" }),
    ]
    func call(_ path: String..., query: [(String, String?)] = []) -> HubCall {
      HubCall(.get, ["v1", "swarms", name.description] + path, query: query + fresh, wait: freshness?.limit ?? .zero)
    }
    switch query {
    case .value(let key, let revision):
      let answer = try await transport.find(call("state", key.description, query: [("at", revision?.text)]))
      return .value(try answer?.reading { try StateReading(answer: $0) })
    case .keys(let filter, let after, let limit, let includingValues):
      let answer = try await transport.read(
        call(
          "state",
          query: [
            ("prefix", filter.prefix), ("after", after?.description), ("limit", "\(limit)"),
            ("include", includingValues ? "value" : nil),
          ]))
      return .keys(try answer.reading { try KeyPage(answer: $0) })
    case .changes(let query):
      let answer = try await transport.read(
        call(
          "changes",
          query: [
            ("since", query.since.text), ("prefix", query.filter.prefix), ("limit", "\(query.limit)"),
            ("max_bytes", "\(query.maxBytes)"), ("as", query.asValues ? "value" : "delta"),
            ("origins", query.withOrigins ? "true" : nil),
          ]))
      return .changes(try answer.reading { try ChangesPage(answer: $0) })
    case .settings:
      let answer = try await transport.read(call())
      return try answer.reading {
        .settings(try SwarmSettings(answer: $0), revision: try $0.integer("revision"))
      }
    case .status:
      let answer = try await transport.read(call())
      return .status(try answer.reading { try SwarmStatus(answer: $0) })
    case .history(let query):
      let answer = try await transport.read(
        call(
          "state", query.key.description, "history",
          query: [("limit", "\(query.limit)"), ("before", query.before?.text)]))
      return .history(try answer.reading { try HistoryPage(answer: $0) })
    case .explanation(let query):
      let answer = try await transport.find(
        call(
          "state", query.key.description, "explain",
          query: [("limit", "\(query.limit)"), ("field", query.part?.field), ("element", query.part?.element)]))
      return .explanation(try answer?.reading { try KeyExplanation(answer: $0) })
    case .replica(let replica):
      let answer = try await transport.find(call("replicas", replica.description))
      return .replica(try answer?.reading { try ReplicaStatus(answer: $0) })
    case .agent(let agent):
      let answer = try await transport.find(call("agents", agent.description))
      return .agent(try answer?.reading { try AgentStatus(answer: $0) })
    case .agents(let after, let limit):
      let answer = try await transport.read(
        call("agents", query: [("after", after?.description), ("limit", "\(limit)")]))
      return .agents(try answer.reading { try AgentPage(answer: $0) })
    case .replicas:
      let answer = try await transport.read(call("replicas"))
      return .replicas(
        try answer.reading { try $0.list("replicas") { fields throws(WireError) in try ReplicaStatus(answer: fields) } }
      )
    @unknown default: throw .engine(.failed("this client cannot ask a hub for that"))
    }
  }
}

extension RevisionReference {
  var text: String {
    switch self {
    case .revision(let revision): "\(revision)"
    case .cursor(let cursor): cursor.description
    }
  }
}

extension ChangesStart {
  /// As a request names it; nil: from the beginning.
  var text: String? {
    switch self {
    case .beginning: nil
    case .head: "head"
    case .after(let reference): reference.text
    case .page(let token): token.description
    }
  }
}

extension KeyExplanation.Part {
  fileprivate var field: String? { if case .field(let name) = self { name.string } else { nil } }

  /// As JSON.
  fileprivate var element: String? {
    if case .element(let element) = self { JSONWriter.text(element) } else { nil }
  }
}
