import MoaiCRDT

extension Entry {
  /// One line of a log: `{revision, appended_at, agent_id, via?, command_id, writes, rewind, settings, replica, agent or
  /// journal, outcome}`.
  ///
  /// * `appendedAt`: the engine's time at the append, in milliseconds since 1970.
  /// * `outcome`: what replay found the entry to do.
  public func json(revision: Revision, appendedAt: Int64, outcome: Outcome) -> StateValue {
    var fields = WireFields()
    fields.add("revision", integer: revision)
    fields.add("appended_at", text: Timestamp(milliseconds: appendedAt).rfc3339)
    fields.add("agent_id", .string(author.name))
    fields.add("via", via.map { .string($0.name) })
    fields.add("command_id", text: id.description)
    switch command {
    case .state(.write(let writes)): fields.add("writes", .array(writes.map(\.json)))
    case .state(.rewind(let rewind)): fields.add("rewind", rewind.json)
    case .settings(.replace(let settings)): fields.add("settings", settings.json)
    case .journal(let command): fields.add("journal", command.json)
    case .replica(let command): fields.add("replica", command.json)
    case .agent(let command): fields.add("agent", command.json)
    }
    fields.add("outcome", outcome.json)
    return fields.json
  }
}

extension JournalReplay.Step {
  package var json: StateValue {
    entry.json(revision: stored.revision, appendedAt: stored.appendedAt, outcome: applied.outcome)
  }
}

extension JournalCommand {
  /// `{trim_to}`, `{tick: true}` or `{skip: {hash?, reason}}`.
  var json: StateValue {
    var fields = WireFields()
    switch self {
    case .trim(let revision): fields.add("trim_to", .int(revision))
    case .tick: fields.add("tick", true)
    case .skip(let skipped):
      var skip = WireFields()
      skip.add("hash", skipped.hash.map { .string(UTF8String(Epoch($0).description)) })
      skip.add("reason", .string(skipped.reason))
      fields.add("skip", skip.json)
    }
    return fields.json
  }
}

extension KeyWrite {
  /// `{state_key, ops or delete: true, value_of?, base?, if_revision?, crdt_type?, strategy?}`; `value_of` is the type
  /// of the whole value that the operations were computed from.
  var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    switch content {
    case .operations(let operations): fields.add("ops", .array(operations.map(\.json)))
    case .value(let type, let operations):
      fields.add("value_of", text: type.rawValue)
      fields.add("ops", .array(operations.map(\.json)))
    case .delete: fields.add("delete", true)
    }
    fields.add("base", base.map { .int($0) })
    fields.add("if_revision", condition.map { .int($0) })
    fields.add("crdt_type", declaredType.map { .string(UTF8String($0.rawValue)) })
    fields.add("strategy", strategy.map { .string(UTF8String($0.rawValue)) })
    return fields.json
  }
}

extension CommandID: CustomStringConvertible {
  /// Thirty-two hexadecimal digits.
  public var description: String { Epoch(high).description + Epoch(low).description }

  /// Reads ``description`` back; nil for any other text.
  package init?(hexadecimal text: String) {
    guard text.utf8.count == 32, let high = Epoch(digits: text.utf8.prefix(16)),
      let low = Epoch(digits: text.utf8.suffix(16))
    else { return nil }
    self.init(high: high.rawValue, low: low.rawValue)
    guard description == text else { return nil }
  }
}
