import MoaiCRDT

extension Refusal {
  /// A refusal as ``json`` writes it: `{code, detail, …}`.
  package init(answer fields: WireObject) throws(WireError) {
    let code = try fields.text("code").string
    if fields.optional("replica") != nil {
      self = .replica(try ReplicaRefusal(code: code, fields))
      return
    }
    switch code {
    case "idempotency_mismatch": self = .idempotencyMismatch
    case "unknown_agent": self = .agent(.unknown(try fields.agent()))
    case "too_many_agents": self = .agent(.tooMany(limit: try fields.count("limit")))
    case "limit": self = .settings(.limit(try fields.text("detail").string))
    case "not_reservable":
      self = .replica(.notReservable(try fields.key(), try fields.text("why").string))
    case "bound_exceeded" where fields.optional("left") != nil:
      self = .replica(.nothingLeft(try fields.key(), try fields.object("left").right()))
    case "future_revision" where fields.optional("state_key") == nil:
      self = .journal(.notThere(try fields.integer("revision"), head: try fields.integer("head")))
    default: self = .state(try StateRefusal(code: code, fields))
    }
  }
}

extension StateRefusal {
  fileprivate init(code: String, _ fields: WireObject) throws(WireError) {
    let key = try fields.key()
    switch code {
    case "condition_failed": self = .conditionFailed(key, current: try fields.integer("current"))
    case "type_mismatch":
      self = .typeMismatch(
        key, holds: try fields.choice(required: "holds", of: CRDTType.self),
        asked: try fields.choice(required: "asked", of: CRDTType.self))
    case "strategy_mismatch":
      self = .strategyMismatch(key, holds: try fields.choice(required: "holds", of: KeyStrategy.self))
    case "counter_overflow": self = .counterOverflow(key)
    case "value_too_large": self = .valueTooLarge(key, limit: try fields.count("limit"))
    case "too_many_siblings": self = .tooManySiblings(key, limit: try fields.count("limit"))
    case "not_allowed": self = .notAllowed(key, try fields.agent())
    case "future_revision": self = .futureBase(key, try fields.integer("revision"))
    case "changed_since_planned": self = .changedSincePlanned(key)
    case "trimmed":
      self = .baseTrimmed(key, base: try fields.integer("base"), horizon: try fields.integer("horizon"))
    case "bound_exceeded":
      let reserved = try fields.object("reserved").right()
      self = .boundExceeded(
        key, sum: try fields.integer("sum"),
        CounterBounds(minimum: try fields.optionalInteger("min"), maximum: try fields.optionalInteger("max")),
        reserved: reserved)
    default: throw WireError(fields.place.appending("code"), "\(code) is no refusal that this version knows")
    }
  }

  /// What ``init(code:_:)`` needs beside the code.
  var members: WireFields {
    var members = WireFields()
    members.add("state_key", .string(key.name))
    switch self {
    case .conditionFailed(_, let current): members.add("current", .int(current))
    case .typeMismatch(_, let holds, let asked):
      members.add("holds", text: holds.rawValue)
      members.add("asked", text: asked.rawValue)
    case .strategyMismatch(_, let holds): members.add("holds", text: holds.rawValue)
    case .valueTooLarge(_, let limit), .tooManySiblings(_, let limit): members.add("limit", integer: limit)
    case .notAllowed(_, let agent): members.add("agent_id", .string(agent.name))
    case .futureBase(_, let revision): members.add("revision", .int(revision))
    case .baseTrimmed(_, let base, let horizon):
      members.add("base", .int(base))
      members.add("horizon", .int(horizon))
    case .boundExceeded(_, let sum, let bounds, let reserved):
      members.add("sum", .int(sum))
      members.add("min", bounds.minimum.map { .int($0) })
      members.add("max", bounds.maximum.map { .int($0) })
      members.add("reserved", reserved.json)
    case .counterOverflow, .changedSincePlanned: break
    }
    return members
  }
}

extension AgentRefusal {
  /// What reading it again needs beside the code.
  var members: WireFields {
    var members = WireFields()
    switch self {
    case .unknown(let agent): members.add("agent_id", .string(agent.name))
    case .tooMany(let limit): members.add("limit", integer: limit)
    }
    return members
  }
}

extension ReplicaRefusal {
  fileprivate init(code: String, _ fields: WireObject) throws(WireError) {
    let replica = try fields.replica()
    switch code {
    case "unknown_replica": self = .unknown(replica)
    case "not_allowed": self = .notYours(replica, owner: try fields.agent("owner"))
    case "replica_closed": self = .closed(replica, accepted: try fields.number("accepted_to"))
    case "out_of_order":
      self = .outOfOrder(replica, first: try fields.number("n"), accepted: try fields.number("accepted_to"))
    case "replica_forked": self = .forked(replica, first: try fields.number("n"))
    case "too_many_refused": self = .tooManyKept(replica, limit: try fields.count("limit"))
    case "not_found": self = .notKept(replica, first: try fields.number("n"))
    default: throw WireError(fields.place.appending("code"), "\(code) is no refusal that this version knows")
    }
  }

  /// What ``init(code:_:)`` needs beside the code.
  var members: WireFields {
    var members = WireFields()
    func add(_ replica: ReplicaID) { members.add("replica", text: replica.description) }
    switch self {
    case .unknown(let replica): add(replica)
    case .notYours(let replica, let owner):
      add(replica)
      members.add("owner", .string(owner.name))
    case .closed(let replica, let accepted):
      add(replica)
      members.add("accepted_to", integer: accepted)
    case .outOfOrder(let replica, let first, let accepted):
      add(replica)
      members.add("n", integer: first)
      members.add("accepted_to", integer: accepted)
    case .forked(let replica, let first), .notKept(let replica, let first):
      add(replica)
      members.add("n", integer: first)
    case .tooManyKept(let replica, let limit):
      add(replica)
      members.add("limit", integer: limit)
    case .notReservable(let key, let why):
      members.add("state_key", .string(key.name))
      members.add("why", text: why)
    case .nothingLeft(let key, let left):
      members.add("state_key", .string(key.name))
      members.add("left", left.json)
    }
    return members
  }
}

extension CounterRight {
  /// `{down, up}`.
  var json: StateValue { ["down": .int(down), "up": .int(up)] }
}
