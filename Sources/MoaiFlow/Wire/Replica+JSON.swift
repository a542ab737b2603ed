import MoaiCRDT

extension ReplicaCommand {
  /// `{delta}`, `{reserve: {replica, state_key, down, up}}`, `{close}`, `{resolve: {replica, n}}` or
  /// `{announce: {replica, n}}`.
  var json: StateValue {
    var fields = WireFields()
    switch self {
    case .delta(let delta): fields.add("delta", delta.json)
    case .reserve(let replica, let key, let right):
      var reserve = WireFields()
      reserve.add("replica", text: replica.description)
      reserve.add("state_key", .string(key.name))
      reserve.add(right)
      fields.add("reserve", reserve.json)
    case .close(let replica): fields.add("close", text: replica.description)
    case .resolve(let replica, let first):
      var resolve = WireFields()
      resolve.add("replica", text: replica.description)
      resolve.add("n", integer: first)
      fields.add("resolve", resolve.json)
    case .announce(let replica, let last):
      var announce = WireFields()
      announce.add("replica", text: replica.description)
      announce.add("n", integer: last)
      fields.add("announce", announce.json)
    }
    return fields.json
  }
}

extension ReplicaDelta {
  /// `{replica, n, last, base?, seen?, previous_hash, hash, timestamp, logical?, ops: [{state_key, ops or delete, …}]}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("replica", text: replica.description)
    fields.add("n", integer: first)
    fields.add("last", integer: last)
    fields.add("base", base.map { .string(UTF8String($0.description)) })
    if !seen.isEmpty {
      var numbers = WireFields()
      for entry in seen.entries { numbers.add(UTF8String(entry.id.description), integer: entry.number) }
      fields.add("seen", numbers.json)
    }
    fields.add("previous_hash", text: Epoch(previousHash).description)
    fields.add("hash", text: Epoch(hash).description)
    fields.add(timestamp)
    fields.add("ops", .array(writes.map(\.json)))
    return fields.json
  }
}

extension ReplicaOutcome {
  /// `{merged: [key…]}`, `{kept: {code, detail}}`, `{reserved: {down, up}}`, `{closed: true}`, `{resolved: true}`
  /// or `{announced: true}`.
  package var json: StateValue {
    var fields = WireFields()
    switch self {
    case .merged(let outcome): fields.add("merged", .array(outcome.keys.map(\.json)))
    case .kept(let refusal):
      fields.add("kept", refusal.fields.json)
    case .reserved(let right):
      var reserved = WireFields()
      reserved.add(right)
      fields.add("reserved", reserved.json)
    case .closed: fields.add("closed", true)
    case .resolved: fields.add("resolved", true)
    case .announced: fields.add("announced", true)
    }
    return fields.json
  }
}

extension ReplicaStatus {
  /// `{replica, agent_id, accepted_to, hash, announced_to, only_announced?, closed, last_seen, recent: [{last, hash}],
  /// refused: [delta…], rights: {key: {down, up}}}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("replica", text: replica.description)
    fields.add("agent_id", .string(owner.name))
    fields.add("accepted_to", integer: accepted)
    fields.add("hash", text: Epoch(hash).description)
    fields.add("announced_to", integer: announced)
    if isOnlyAnnounced { fields.add("only_announced", true) }
    fields.add("closed", .bool(isClosed))
    fields.add("last_seen", text: Timestamp(milliseconds: lastSeen).rfc3339)
    fields.add(
      "recent",
      .array(recent.map { ["last": .int(Int64($0.last)), "hash": StateValue(Epoch($0.hash).description)] }))
    fields.add("refused", .array(kept.map(\.json)))
    var rights = WireFields()
    for (key, right) in self.rights {
      var one = WireFields()
      one.add(right)
      rights.add(key.name, one.json)
    }
    fields.add("rights", rights.json)
    return fields.json
  }
}

extension KeptDelta {
  /// `{delta, revision, code, detail}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("delta", delta.json)
    fields.add("revision", integer: revision)
    fields.add(refusal.fields)
    return fields.json
  }
}

extension DeltaRefusal {
  /// `{code, detail, …}`.
  fileprivate var fields: WireFields {
    var fields = WireFields()
    fields.add("code", text: code)
    fields.add("detail", text: description)
    switch self {
    case .state(let refusal): fields.add(refusal.members)
    case .clockAhead(let timestamp, let journalTime):
      fields.add(timestamp)
      fields.add("journal_time", text: Timestamp(milliseconds: journalTime).rfc3339)
    }
    return fields
  }
}

extension WireFields {
  fileprivate mutating func add(_ right: CounterRight) {
    add("down", integer: right.down)
    add("up", integer: right.up)
  }
}
