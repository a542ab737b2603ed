import MoaiCRDT

extension StateReading {
  /// `{state_key, value, crdt_type, strategy, version, revision, cursor, timestamp, agent_id, siblings?}`. `revision` is
  /// the key's own, for `if_revision`; `cursor` is what the reader has seen, for `base`.
  public var json: StateValue { fields.json }

  var fields: WireFields {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("value", value)
    fields.add("crdt_type", text: type.rawValue)
    fields.add("strategy", text: strategy.rawValue)
    fields.add("version", integer: version)
    fields.add("revision", integer: revision)
    fields.add("cursor", text: cursor.description)
    fields.add(timestamp)
    fields.add("agent_id", .string(agent.name))
    fields.add("siblings", siblings)
    return fields
  }
}

extension KeyResult {
  /// The answer to a write: the key as it is now and whom the write overwrote, `[{agent_id, revision}]`.
  ///
  /// `reading`: the key after the write; nil if the write left it absent.
  public func json(reading: StateReading?, cursor: Cursor) -> StateValue {
    var fields = WireFields()
    if let reading {
      fields = reading.fields
    } else {
      fields.add("state_key", .string(key.name))
      fields.add("revision", integer: revision)
      fields.add("version", integer: version)
      fields.add("cursor", text: cursor.description)
      if revision == 0 {
        fields.add("value", .null)
        fields.add("crdt_type", .null)
      }
    }
    fields.add("overwrote", .array(overwrote.map(\.json)))
    return fields.json
  }
}

extension Overwritten {
  var json: StateValue {
    var fields = WireFields()
    fields.add("agent_id", .string(agent.name))
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension KeyPage {
  /// `{keys: [{state_key, crdt_type, revision, version, agent_id, timestamp, value?}], next: string or null, revision, cursor}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("keys", .array(keys.map(\.json)))
    fields.add("next", next.map { .string($0.name) } ?? .null)
    fields.add("revision", integer: cursor.revision)
    fields.add("cursor", text: cursor.description)
    return fields.json
  }
}

extension KeyPage.Key {
  var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("crdt_type", text: type.rawValue)
    fields.add("revision", integer: revision)
    fields.add("version", integer: version)
    fields.add("agent_id", .string(agent.name))
    fields.add(timestamp)
    fields.add("value", value)
    return fields.json
  }
}
