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
    return fields.json
  }
}

extension ChangesPage {
  /// `{changes, head, more, next? (only when more), revision and cursor (only when not more), snapshot, began? (only
  /// of a snapshot)}`.
  public func json(as form: ChangeForm) -> StateValue {
    var fields = WireFields()
    fields.add("changes", .array(changes.map { $0.json(as: form) }))
    fields.add("head", integer: head)
    fields.add("more", .bool(hasMore))
    fields.add("next", next.map { .string(UTF8String($0.description)) })
    fields.add("revision", cursor.map { .int($0.revision) })
    fields.add("cursor", cursor.map { .string(UTF8String($0.description)) })
    fields.add("snapshot", .bool(isSnapshot))
    if isSnapshot { fields.add("began", integer: began) }
    return fields.json
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
