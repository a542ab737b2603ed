import MoaiCRDT

extension Outcome {
  /// What became of a command: `{result: "applied" | "refused", revision, keys?, refusal?, repeated?}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("revision", integer: revision)
    if isRepeat { fields.add("repeated", true) }
    switch result {
    case .state(let state):
      fields.add("result", "applied")
      fields.add("keys", .array(state.keys.map(\.json)))
    case .settings, .journal: fields.add("result", "applied")
    case .replica(let outcome):
      fields.add("result", "applied")
      fields.add("replica", outcome.json)
    case .agent(let outcome):
      fields.add("result", "applied")
      fields.add("agent", outcome.json)
    case .refused(let refusal):
      fields.add("result", "refused")
      fields.add("refusal", refusal.json)
    }
    return fields.json
  }
}

extension KeyResult {
  /// `{state_key, revision, version, changed, overwrote}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    fields.add("revision", integer: revision)
    fields.add("version", integer: version)
    fields.add("changed", .bool(changed))
    fields.add("overwrote", .array(overwrote.map(\.json)))
    return fields.json
  }
}

extension Refusal {
  /// A word from a closed list, for programs.
  public var code: String {
    switch self {
    case .idempotencyMismatch: "idempotency_mismatch"
    case .settings(.limit): "limit"
    case .journal(.notThere): "future_revision"
    case .state(let refusal): refusal.code
    case .replica(let refusal): refusal.code
    case .agent(let refusal): refusal.code
    }
  }

  /// `{code, detail, …}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("code", text: code)
    fields.add("detail", text: description)
    fields.add(members)
    return fields.json
  }

  /// What a program needs beside the code: `state_key`, `replica`, `current`, `limit` and the like.
  package var members: WireFields {
    switch self {
    case .state(let refusal): return refusal.members
    case .replica(let refusal): return refusal.members
    case .agent(let refusal): return refusal.members
    case .journal(.notThere(let revision, let head)):
      var members = WireFields()
      members.add("revision", .int(revision))
      members.add("head", .int(head))
      return members
    case .settings, .idempotencyMismatch: return WireFields()
    }
  }
}

extension StateRefusal {
  fileprivate var code: String {
    switch self {
    case .conditionFailed: "condition_failed"
    case .typeMismatch: "type_mismatch"
    case .strategyMismatch: "strategy_mismatch"
    case .counterOverflow: "counter_overflow"
    case .valueTooLarge: "value_too_large"
    case .tooManySiblings: "too_many_siblings"
    case .notAllowed: "not_allowed"
    case .futureBase: "future_revision"
    case .changedSincePlanned: "changed_since_planned"
    case .baseTrimmed: "trimmed"
    case .boundExceeded: "bound_exceeded"
    }
  }
}
