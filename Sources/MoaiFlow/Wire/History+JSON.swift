import MoaiCRDT

extension HistoryPage {
  /// `{state_key, changes: [{revision, agent_id, via?, timestamp, crdt_type, version, created?, deleted or delta,
  /// rewind?}], next: string or null, horizon, revision}`, newest first.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("changes", .array(changes.map(\.json)))
    fields.add("next", next.map { .string(UTF8String("\($0)")) } ?? .null)
    fields.add("horizon", integer: horizon)
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension HistoryPage.Change {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("revision", integer: revision)
    fields.add("agent_id", .string(agent.name))
    fields.add("via", via.map { .string($0.name) })
    fields.add(timestamp)
    fields.add("crdt_type", text: type.rawValue)
    fields.add("version", integer: version)
    if isCreation { fields.add("created", true) }
    fields.add(content)
    fields.add("rewind", rewind?.fields.json)
    return fields.json
  }
}

extension WireFields {
  /// `deleted: true`, or `delta: {ops: […]}`, or `delta: {replace: value}`.
  mutating func add(_ content: StateChange.Content) {
    switch content {
    case .deleted: add("deleted", true)
    case .value(let value): add("delta", ["replace": value])
    case .operations(let operations): add("delta", ["ops": .array(operations.map(\.json))])
    }
  }
}

extension KeyExplanation {
  /// `{state_key, crdt_type, revision?, version?, cursor?, reading?, created?, deleted?, deletions, parts, part_count, shares,
  /// share_count, horizon}`; without `revision` the key is absent.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("crdt_type", text: type.rawValue)
    fields.add("revision", reading.map { .int($0.revision) })
    fields.add("version", reading.map { .int($0.version) })
    fields.add("cursor", reading.map { .string(UTF8String($0.cursor.description)) })
    fields.add("reading", reading?.json)
    fields.add("created", created?.json)
    fields.add("deleted", deleted?.json)
    fields.add("deletions", integer: deletions)
    fields.add("parts", .array(parts.map(\.json)))
    fields.add("part_count", integer: partCount)
    fields.add("shares", .array(shares.map(\.json)))
    fields.add("share_count", integer: shareCount)
    fields.add("horizon", integer: horizon)
    return fields.json
  }
}

extension KeyExplanation.Author {
  var fields: WireFields {
    var fields = WireFields()
    fields.add("agent_id", .string(agent.name))
    fields.add(timestamp)
    fields.add("revision", integer: revision)
    return fields
  }

  var json: StateValue { fields.json }
}

extension KeyExplanation.Source {
  /// `{value, agent_id, timestamp, revision, restored_by?}`; `revision` is where it first entered.
  fileprivate func fields(of part: KeyExplanation.Part) -> WireFields {
    var fields = author.fields
    if case .element = part {} else { fields.add("value", value) }
    fields.add("restored_by", restoredBy.map { .int($0) })
    return fields
  }
}

extension KeyExplanation.Rule {
  /// A word from a closed list, for programs.
  public var code: String {
    switch self {
    case .earlierTime: "earlier_time"
    case .smallerName: "smaller_name"
    case .smallerValue: "smaller_value"
    case .overwritten: "overwritten"
    case .removed: "removed"
    case .rewound: "rewound"
    }
  }

  /// Who did it; nobody where two writes stood side by side.
  public var author: KeyExplanation.Author? {
    switch self {
    case .earlierTime, .smallerName, .smallerValue: nil
    case .overwritten(let author), .removed(let author), .rewound(let author): author
    }
  }
}

extension KeyExplanation.PartReason {
  /// `{field or element?, shown?: source, lost: [source with rule and by?], lost_count, survived}`.
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add(part)
    fields.add("shown", shown?.fields(of: part).json)
    fields.add(
      "lost",
      .array(
        lost.map { loss in
          var fields = loss.source.fields(of: part)
          fields.add("rule", text: loss.rule.code)
          fields.add("by", loss.rule.author?.json)
          return fields.json
        }))
    fields.add("lost_count", integer: lostCount)
    fields.add("survived", .array(survived.map(\.json)))
    return fields.json
  }
}

extension KeyExplanation.ShareReason {
  /// `{agent_id, share, entries, last: [{amount, agent_id, timestamp, revision, rewind?}]}`.
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("agent_id", .string(agent.name))
    fields.add("share", .int(share))
    fields.add("entries", integer: entries)
    fields.add(
      "last",
      .array(
        last.map { step in
          var fields = step.author.fields
          fields.add("amount", .int(step.amount))
          if step.isRewind { fields.add("rewind", true) }
          return fields.json
        }))
    return fields.json
  }
}
