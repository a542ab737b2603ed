import MoaiCRDT

extension MemoryEntry {
  /// `{namespace, key, value, persistent, agent_id, revision?, timestamp?}`; the last two only of a persistent entry.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("namespace", .string(name.namespace))
    fields.add("key", .string(name.key))
    fields.add("value", value)
    fields.add("persistent", .bool(isPersistent))
    fields.add("agent_id", .string(agent.name))
    if let record {
      fields.add("revision", integer: record.revision)
      fields.add(record.timestamp)
    }
    return fields.json
  }
}

extension MemoryPage {
  /// `{entries: […], next: string or null, revision}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("entries", .array(entries.map(\.json)))
    fields.add("next", next.map { .string($0) } ?? .null)
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension MemoryStatistics {
  /// `{namespaces: [{namespace, persistent_entries, persistent_bytes, volatile_entries, volatile_bytes}], next: null,
  /// revision}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("namespaces", .array(namespaces.map(\.json)))
    fields.add("next", .null)
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension MemoryStatistics.Namespace {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("namespace", .string(name))
    fields.add("persistent_entries", integer: persistentEntries)
    fields.add("persistent_bytes", integer: persistentBytes)
    fields.add("volatile_entries", integer: volatileEntries)
    fields.add("volatile_bytes", integer: volatileBytes)
    return fields.json
  }
}
