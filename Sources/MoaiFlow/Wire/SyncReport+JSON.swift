import MoaiCRDT

extension SyncReport {
  /// The report of rule §5.1: `{state_key, asked, quorum, responders, missing: [{agent_id, reason}], conflicts,
  /// contributions, discarded: [{agent_id, revision}], result: reading or null, revision, duration_ms}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("asked", integer: asked)
    fields.add("quorum", integer: quorum)
    fields.add("responders", .array(responders.map { .string($0.name) }))
    let missing = missing.sorted { $0.key < $1.key }.map { agent, reason in
      var fields = WireFields()
      fields.add("agent_id", .string(agent.name))
      fields.add("reason", text: reason.description)
      return fields.json
    }
    fields.add("missing", .array(missing))
    fields.add("conflicts", .array(conflicts.map(\.json)))
    fields.add("contributions", .array(contributions.map(\.json)))
    fields.add("discarded", .array(discarded.map(\.json)))
    fields.add("result", result?.json ?? .null)
    fields.add("revision", integer: revision)
    fields.add("duration_ms", integer: duration.milliseconds)
    return fields.json
  }
}

extension SyncReport.Contribution {
  /// `{agent_id, ops or value, fate, revision?, reason?}`.
  var json: StateValue {
    var fields = WireFields()
    fields.add("agent_id", .string(agent.name))
    switch content {
    case .operations(let operations): fields.add("ops", .array(operations.map(\.json)))
    case .value(let value): fields.add("value", value)
    case .nothing: break
    }
    switch fate {
    case .merged(let revision):
      fields.add("fate", "merged")
      fields.add("revision", integer: revision)
    case .alreadyThere: fields.add("fate", "already_there")
    case .withoutBase: fields.add("fate", "without_base")
    case .refused(let reason):
      fields.add("fate", "refused")
      fields.add("reason", text: reason)
    }
    return fields.json
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
