import MoaiCRDT

extension RewindTarget: CustomStringConvertible {
  public var description: String {
    switch self {
    case .agent(let agent, let since): "\(agent) since \(since)"
    case .revision(let revision): "of revision \(revision)"
    }
  }

  var fields: WireFields {
    var fields = WireFields()
    switch self {
    case .agent(let agent, let since):
      fields.add("agent_id", .string(agent.name))
      fields.add("since", integer: since)
    case .revision(let revision): fields.add("revision", integer: revision)
    }
    return fields
  }
}

extension RewindCommand {
  /// In a log: `{agent_id and since, or revision, keys?, partial?, planned_at, effects: [{state_key, removed?,
  /// restored?, delete?, create?}]}`.
  var json: StateValue {
    var fields = target.fields
    if !keys.isEmpty { fields.add("keys", .array(keys.map { .string($0.text) })) }
    if isPartial { fields.add("partial", true) }
    fields.add("planned_at", integer: plannedAt)
    fields.add("effects", .array(effects.map(\.json)))
    return fields.json
  }
}

extension KeyRewind {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    switch effect {
    case .none: break
    case .parts(let removed, let restored):
      fields.add("removed", integer: removed.count)
      fields.add("restored", .array(restored.map(\.json)))
    case .shares(let shares): fields.add("shares", .array(shares.map(\.json)))
    case .delete: fields.add("delete", true)
    case .create(let type, _, let restored, let shares):
      fields.add("create", text: type.rawValue)
      fields.add("restored", .array(restored.map(\.json)))
      if !shares.isEmpty { fields.add("shares", .array(shares.map(\.json))) }
    }
    return fields.json
  }
}

extension RestoredWrite {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add(KeyExplanation.Part(part))
    if case .element = part {} else { fields.add("value", value) }
    fields.add("agent_id", .string(agent.name))
    fields.add(timestamp)
    fields.add("revision", integer: origin)
    return fields.json
  }
}

extension RestoredShare {
  fileprivate var json: StateValue {
    ["agent_id": .string(agent.name), "share": .int(share)]
  }
}

extension WireFields {
  /// `field` or `element`; nothing for a value that has no parts.
  mutating func add(_ part: KeyExplanation.Part) {
    switch part {
    case .whole: break
    case .field(let name): add("field", .string(name))
    case .element(let element): add("element", element)
    }
  }
}

extension RewindReport {
  /// Bytes of a value that a report carries; a larger one is left out, and its `delta` says what changes.
  private static let valueBytes = 4096

  /// `{revision or null, planned_at, entries, changes, unchanged, blocked: [{state_key, code, detail}],
  /// dependents: [{revision, agent_id, state_key}], dependent_count}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("revision", revision.map { .int($0) } ?? .null)
    fields.add("planned_at", integer: plannedAt)
    fields.add("entries", integer: entries)
    fields.add("changes", .array(changes.map { $0.json(valueBytes: RewindReport.valueBytes) }))
    fields.add("unchanged", .array(unchanged.map { .string($0.name) }))
    fields.add("blocked", .array(blocked.map(\.json)))
    fields.add("dependents", .array(dependents.map(\.json)))
    fields.add("dependent_count", integer: dependentCount)
    return fields.json
  }
}

extension RewindReport.Change {
  /// `{state_key, crdt_type, entries, deleted or delta, before?, after?}`; null where the key is absent.
  fileprivate func json(valueBytes: Int) -> StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("crdt_type", text: type.rawValue)
    fields.add("entries", integer: entries)
    fields.add(content)
    for (name, value) in [("before", before), ("after", after)] as [(UTF8String, StateValue?)]
    where (value?.encodedSize ?? 0) <= valueBytes {
      fields.add(name, value ?? .null)
    }
    return fields.json
  }
}

extension RewindReport.Blocked {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("code", text: obstacle.code)
    fields.add("detail", text: obstacle.description)
    return fields.json
  }
}

extension RewindReport.Obstacle {
  /// A word from a closed list, for programs.
  public var code: String {
    switch self {
    case .recreated: "recreated"
    case .bound: "bound"
    case .tooLarge: "too_large"
    case .trimmed: "trimmed"
    }
  }
}

extension RewindReport.Dependent {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("revision", integer: revision)
    fields.add("agent_id", .string(agent.name))
    fields.add("state_key", .string(key.name))
    return fields.json
  }
}
