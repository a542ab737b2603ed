package import MoaiCRDT

extension ReplicaDelta {
  /// `{replica?, n, base?, seen?, previous_hash, timestamp, logical?, ops: [{state_key, ops or delete, …}], hash?}`; a `hash` that is given must be the
  /// delta's, so that nothing was lost on the way.
  ///
  /// - Parameters:
  ///   - replica: whose it is; nil: the field says so.
  ///   - epoch: where a `base` that is a plain number counts; nil: it must be a cursor.
  package init(
    json: StateValue, of replica: ReplicaID? = nil, in epoch: Epoch? = nil, at place: JSONPointer
  ) throws(WireError) {
    let fields = try WireObject(
      json, at: place,
      allowing: [
        "replica", "n", "last", "base", "seen", "previous_hash", "timestamp", "logical", "ops", "hash",
      ])
    var seen: [(ReplicaID, UInt64)] = []
    if let given = try fields.optionalObject("seen") {
      for field in given.object.fields {
        guard let id = Epoch(digits: field.name.string.utf8[...]), case .int(let number) = field.value, number > 0
        else {
          throw WireError(given.place.appending(field.name.string), "must be a replica and the number of a write")
        }
        seen.append((ReplicaID(id.rawValue), UInt64(number)))
      }
    }
    var writes: [KeyWrite] = []
    for (value, place) in try fields.elements("ops") ?? [] { writes.append(try KeyWrite(delta: value, at: place)) }
    let named = fields.optional("replica") == nil ? nil : try fields.replica()
    guard let id = replica ?? named, named.map({ $0 == id }) ?? true else {
      throw WireError(place.appending("replica"), "must be the replica of the path")
    }
    self.init(
      replica: id, first: try fields.number("n"), base: try fields.base(in: epoch), seen: VectorClock(seen),
      previousHash: try fields.hash("previous_hash"), timestamp: try fields.timestamp(), writes: writes)
    if fields.optional("hash") != nil, try fields.hash("hash") != hash {
      throw WireError(place.appending("hash"), "is not the delta's: it was changed on the way")
    }
  }
}

extension WireObject {
  fileprivate func base(in epoch: Epoch?) throws(WireError) -> Cursor? {
    guard case .revision(let revision)? = try reference("base") else { return try optionalCursor("base") }
    guard let epoch else { throw WireError(place.appending("base"), "must be a cursor") }
    return Cursor(epoch: epoch, revision: revision)
  }
}

extension KeyWrite {
  /// A write of a delta, as its JSON in a log: `{state_key, ops or delete: true, value_of?, crdt_type?, strategy?}`.
  fileprivate init(delta json: StateValue, at place: JSONPointer) throws(WireError) {
    let fields = try WireObject(
      json, at: place, allowing: ["state_key", "ops", "delete", "value_of", "crdt_type", "strategy"])
    let content: Content
    if try fields.flag("delete") {
      content = .delete
    } else {
      let operations = try StateOperation.list(
        json: try fields.required("ops"), at: place.appending("ops"), allowsShares: true)
      if let type = try fields.choice("value_of", of: CRDTType.self) {
        content = .value(type, operations)
      } else {
        content = .operations(operations)
      }
    }
    self.init(
      key: try fields.key(), content: content, declaredType: try fields.choice("crdt_type", of: CRDTType.self),
      strategy: try fields.choice("strategy", of: KeyStrategy.self))
  }
}

extension ReplicaStatus {
  package init(answer fields: WireObject) throws(WireError) {
    var rights: [StateKey: CounterRight] = [:]
    let given = try fields.object("rights")
    for field in given.object.fields {
      do {
        rights[try StateKey(field.name.string)] = try WireObject(answer: field.value, at: given.place).right()
      } catch { throw WireError(given.place.appending(field.name.string), "is no right") }
    }
    self.init(
      replica: try fields.replica(), owner: try fields.agent(), isOnlyAnnounced: try fields.flag("only_announced"),
      accepted: try fields.number("accepted_to"), hash: try fields.hash("hash"),
      announced: try fields.number("announced_to"), isClosed: try fields.flag("closed"),
      lastSeen: try fields.instant("last_seen"),
      recent: try fields.list("recent") { fields throws(WireError) in
        AcceptedDelta(last: try fields.number("last"), hash: try fields.hash("hash"))
      },
      kept: try fields.list("refused") { fields throws(WireError) in try KeptDelta(answer: fields) }, rights: rights)
  }
}

extension KeptDelta {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      delta: try ReplicaDelta(json: try fields.required("delta"), at: fields.place.appending("delta")),
      revision: try fields.integer("revision"), refusal: try DeltaRefusal(answer: fields))
  }
}

extension DeltaRefusal {
  package init(answer fields: WireObject) throws(WireError) {
    if try fields.text("code").string == "clock_ahead" {
      self = .clockAhead(try fields.timestamp(), journalTime: try fields.instant("journal_time"))
      return
    }
    guard case .state(let refusal) = try Refusal(answer: fields) else {
      throw WireError(fields.place.appending("code"), "is no refusal of a write")
    }
    self = .state(refusal)
  }
}

extension ReplicaOutcome {
  /// `{merged: [key…]}`, `{kept: refusal}`, `{reserved: right}`, `{closed}`, `{resolved}` or `{announced}`.
  package init(answer fields: WireObject) throws(WireError) {
    if fields.optional("merged") != nil {
      self = .merged(
        StateOutcome(keys: try fields.list("merged") { fields throws(WireError) in try KeyResult(answer: fields) }))
    } else if let kept = try fields.optionalObject("kept") {
      self = .kept(try DeltaRefusal(answer: kept))
    } else if let reserved = try fields.optionalObject("reserved") {
      self = .reserved(try reserved.right())
    } else if try fields.flag("closed") {
      self = .closed
    } else if try fields.flag("resolved") {
      self = .resolved
    } else if try fields.flag("announced") {
      self = .announced
    } else {
      throw WireError(fields.place, "is no outcome of a replica's command")
    }
  }
}
