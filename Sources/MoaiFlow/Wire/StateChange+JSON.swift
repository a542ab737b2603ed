import MoaiCRDT

/// What stands in a change: what turns the reader's value into the value now, or the value now.
public enum ChangeForm: String, Sendable, Hashable, CaseIterable {
  /// `delta: {ops: […]}`, or `{replace: value}` where the whole value has to be sent.
  case delta
  /// `value`.
  case value
}

extension StateChange {
  /// `{state_key, revision, agent_id, timestamp, crdt_type, value or delta, deleted?, siblings?}`.
  public func json(as form: ChangeForm) -> StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("revision", integer: revision)
    fields.add("agent_id", .string(agent.name))
    fields.add(timestamp)
    fields.add("crdt_type", text: type.rawValue)
    switch content {
    case .deleted: fields.add("deleted", true)
    case .value(let value) where form == .value: fields.add("value", value)
    case .value(let value): fields.add("delta", ["replace": value])
    case .operations(let operations): fields.add("delta", ["ops": .array(operations.map(\.json))])
    }
    fields.add("siblings", siblings)
    fields.add("origins", origins.map { .array($0.map { $0?.json ?? .null }) })
    return fields.json
  }
}

extension WriteOrigin {
  /// `{agent_id, timestamp, revision}`.
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("agent_id", .string(agent.name))
    fields.add(timestamp)
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension ReplicaProgress {
  /// `{replica, accepted_to, announced_to, closed}`.
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("replica", text: replica.description)
    fields.add("accepted_to", integer: accepted)
    fields.add("announced_to", integer: announced)
    fields.add("closed", .bool(isClosed))
    return fields.json
  }
}

extension ChangesPage {
  /// `{changes, head, more, next? (only when more), revision and cursor (only when not more), snapshot, began? (only
  /// of a snapshot)}`.
  public func json(as form: ChangeForm) -> StateValue { fields(as: form).json }

  /// The same with what an offline replica needs: `began`, `continued: true` of a page that goes on with a pass, and
  /// `replicas`.
  package func json(withOriginsAs form: ChangeForm) -> StateValue {
    var fields = fields(as: form)
    if !isSnapshot { fields.add("began", integer: began) }
    if !isFirst { fields.add("continued", true) }
    fields.add("replicas", .array(replicas.map(\.json)))
    return fields.json
  }

  private func fields(as form: ChangeForm) -> WireFields {
    var fields = WireFields()
    fields.add("changes", .array(changes.map { $0.json(as: form) }))
    fields.add("head", integer: head)
    fields.add("more", .bool(hasMore))
    fields.add("next", next.map { .string(UTF8String($0.description)) })
    fields.add("revision", cursor.map { .int($0.revision) })
    fields.add("cursor", cursor.map { .string(UTF8String($0.description)) })
    fields.add("snapshot", .bool(isSnapshot))
    if isSnapshot { fields.add("began", integer: began) }
    return fields
  }
}

extension ChangeBatch {
  /// One message of a stream: `{revision, cursor, agent_id, timestamp, changes}` for an entry. What was missed has no
  /// author, `snapshot: true` where it replaces, and `cursor` and `revision` only on the last page.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("revision", cursor.map { .int($0.revision) })
    fields.add("cursor", cursor.map { .string(UTF8String($0.description)) })
    fields.add("agent_id", agent.map { .string($0.name) })
    if let timestamp { fields.add(timestamp) }
    fields.add("changes", .array(changes.map { $0.json(as: .delta) }))
    if isSnapshot { fields.add("snapshot", true) }
    return fields.json
  }
}
