import MoaiCRDT
public import MoaiFlow

extension HubSwarm {
  func perform(_ command: ReplicaCommand, as author: AgentID, _ id: CommandID) async throws(SwarmError) -> Outcome {
    let agent: StateValue? = author == .operator ? nil : .string(author.name)
    var body = WireFields()
    body.add("agent_id", agent)
    let sent: HubCall
    switch command {
    case .delta(let delta):
      guard let outcome = try await send([delta], as: author, via: nil).first else { throw .busy }
      return outcome
    case .reserve(let replica, let key, let right):
      body.add("replica", text: replica.description)
      body.add("amount", .int(right.down))
      body.add("up", .int(right.up))
      sent = call(.post, "state", key.description, "rights", body: body.json)
    case .close(let replica):
      sent = call(
        .delete, "replicas", replica.description,
        query: [("agent_id", agent?.stringValue), ("even_if_unknown", agent == nil ? nil : "true")])
    case .resolve(let replica, let first):
      body.add("n", integer: first)
      sent = call(.post, "replicas", replica.description, "resolve", body: body.json)
    case .announce(let replica, let last):
      body.add("n", integer: last)
      sent = call(.post, "replicas", replica.description, "announce", body: body.json)
    }
    return try await outcome(of: sent, id) {
      Outcome(revision: 0, isRepeat: false, replica: try ReplicaOutcome(answer: $0))
    }
  }

  public func send(
    _ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?
  ) async throws(SwarmError) -> [Outcome] {
    var outcomes: [Outcome] = []
    // One request is of one replica.
    var rest = deltas[...]
    while let first = rest.first {
      let batch = rest.prefix { $0.replica == first.replica }
      rest = rest.dropFirst(batch.count)
      let body: StateValue = ["agent_id": .string(author.name), "deltas": .array(batch.map(\.json))]
      do {
        let answer = try await transport.write(
          call(.post, "replicas", first.replica.description, "deltas", body: body), id: first.batchID)
        let taken = try answer.reading {
          try $0.list("outcomes") { fields throws(WireError) in try Outcome(delta: fields) }
        }
        outcomes += taken
        guard taken.count == batch.count, !taken.contains(where: \.isRefused) else { break }
      } catch .refused(let refusal) {
        return outcomes + [Outcome(revision: 0, refused: refusal)]
      } catch {
        // What was stored before an error stays told; the error is for the next attempt.
        guard outcomes.isEmpty else { break }
        throw error
      }
    }
    return outcomes
  }
}

extension ReplicaDelta {
  /// Deltas are known by themselves; the id of their request matters to nobody.
  fileprivate var batchID: CommandID { CommandID(high: replica.rawValue, low: hash) }
}

extension Outcome {
  fileprivate var isRefused: Bool { if case .refused = result { true } else { false } }

  fileprivate init(delta fields: WireObject) throws(WireError) {
    let revision = try fields.integer("revision")
    if let refusal = try fields.optionalObject("refusal") {
      self.init(revision: revision, refused: try Refusal(answer: refusal))
      return
    }
    self.init(
      revision: revision, isRepeat: try fields.flag("repeated"),
      replica: try ReplicaOutcome(answer: try fields.object("replica")))
  }
}
