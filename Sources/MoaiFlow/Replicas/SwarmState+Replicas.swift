import MoaiCRDT

extension SwarmState {
  /// Applies what a replica asks. A delta that is in its order uses up its numbers, whether or not a rule refuses its
  /// writes.
  mutating func apply(
    _ command: ReplicaCommand, by entry: Entry, author: AgentIndex, in transaction: inout Transaction
  ) throws(ReplicaRefusal) -> (ReplicaOutcome, [StateChange]) {
    let idle = settings.settings.limits.replicaIdleMilliseconds
    switch command {
    case .delta(let delta):
      let slot = try replicas.admit(delta, by: author, agents)
      let (outcome, changes) = merge(delta, in: &transaction)
      var refusal: DeltaRefusal?
      if case .kept(let why) = outcome { refusal = why }
      replicas.consume(
        delta, in: slot, by: author, refusal: refusal, at: revision, time, idle, &deadlines)
      return (outcome, changes)
    case .reserve(let replica, let key, let right):
      let known = replicas.replicas.slot(of: replica)
      if let known {
        _ = try replicas.find(replica, for: author, agents)
        let record = replicas.replicas[known].record
        guard !record.isClosed else { throw .closed(replica, accepted: record.accepted) }
      }
      let held = try reserve(right, for: replica, on: key, in: &transaction)
      let slot = known ?? replicas.insert(replica, author, time)
      replicas.own(slot, author)
      if !replicas.replicas[slot].record.rights.contains(key) { replicas.replicas[slot].record.rights.append(key) }
      replicas.touch(slot, at: revision, time, idle, &deadlines)
      return (.reserved(held), [])
    case .close(let replica):
      // An id that is given up before the journal knew it is closed too: others may have met its writes.
      let isKnown = replicas.replicas.slot(of: replica) != nil
      let slot = isKnown ? try replicas.find(replica, for: author, agents) : replicas.insert(replica, author, time)
      close(slot, in: &transaction)
      return (.closed, [])
    case .resolve(let replica, let first):
      let slot = try replicas.find(replica, for: author, agents)
      try replicas.resolve(slot, first: first)
      replicas.touch(slot, at: revision, time, idle, &deadlines)
      return (.resolved, [])
    case .announce(let replica, let last):
      replicas.announce(replica, upTo: last, by: author, at: revision, time, idle, &deadlines)
      return (.announced, [])
    }
  }

  private mutating func merge(
    _ delta: ReplicaDelta, in transaction: inout Transaction
  ) -> (ReplicaOutcome, [StateChange]) {
    guard delta.timestamp.milliseconds <= Deadlines.after(time, ReplicaTable.driftBound) else {
      return (.kept(.clockAhead(delta.timestamp, journalTime: time)), [])
    }
    let base = delta.base(in: epoch)
    let writes = delta.writes(at: base)
    do throws(StateRefusal) {
      guard base < revision else { throw .futureBase(writes[0].key, base) }
      let applied = try state.apply(writes, in: &transaction, settings: settings.settings, agents: agents)
      let changes = state.commit(&transaction, agents: agents)
      noteTimestamp(max(transaction.timestamp, delta.timestamp))
      let outcome = state.outcome(of: writes, applied: applied, at: revision, expired: transaction.expired)
      return (.merged(outcome), changes)
    } catch {
      rollBack(transaction)
      return (.kept(.state(error)), [])
    }
  }

  /// Adds to what a replica may spend on a counter, if the bound leaves that much (rule §4.6).
  private mutating func reserve(
    _ right: CounterRight, for replica: ReplicaID, on key: StateKey, in transaction: inout Transaction
  ) throws(ReplicaRefusal) -> CounterRight {
    guard let policy = settings.settings.policy(for: key), policy.bounds.isBounded else {
      throw .notReservable(key, "no policy bounds it, so nothing needs to be reserved")
    }
    guard policy.allows(transaction.authorName) else {
      throw .notReservable(key, "its policy does not let \(transaction.authorName) write it")
    }
    let bounds = policy.bounds
    guard let slot = state.keys.slot(of: key), case .counter(let counter) = state.keys[slot].record.contents else {
      throw .notReservable(key, "there is no such counter")
    }
    if right.down > 0, bounds.minimum == nil { throw .notReservable(key, "it has no minimum") }
    if right.up > 0, bounds.maximum == nil { throw .notReservable(key, "it has no maximum") }
    let reserved = counter.reserved
    let left = CounterRight(
      down: bounds.minimum.map { room(Int128(counter.sum) - Int128($0) - Int128(reserved.down)) } ?? 0,
      up: bounds.maximum.map { room(Int128($0) - Int128(counter.sum) - Int128(reserved.up)) } ?? 0)
    guard right.down <= left.down, right.up <= left.up else { throw .nothingLeft(key, left) }
    let held = counter.rights[replica] ?? CounterRight()
    // Both fit, because together they are no more than what the bounds leave.
    let total = CounterRight(
      down: Int64(clamping: Int128(held.down) + Int128(right.down)),
      up: Int64(clamping: Int128(held.up) + Int128(right.up)))
    state.setRight(total, of: replica, in: slot, &transaction)
    state.keys.markDirty(slot)
    return total
  }

  private func room(_ distance: Int128) -> Int64 { Int64(clamping: max(0, distance)) }

  /// Closes a replica and gives back what it had reserved. Closing twice changes nothing.
  mutating func close(_ slot: Int, in transaction: inout Transaction) {
    guard !replicas.replicas[slot].record.isClosed else { return }
    let replica = replicas.replicas.id(of: slot)
    for key in replicas.replicas[slot].record.rights {
      guard let place = state.keys.slot(of: key) else { continue }
      state.setRight(nil, of: replica, in: place, &transaction)
      state.keys.markDirty(place)
    }
    replicas.replicas[slot].record.rights = []
    replicas.replicas[slot].record.isClosed = true
    deadlines.set(.closeReplica(slot), at: nil)
    replicas.replicas.markDirty(slot)
    replicas.replicas.touch(slot, at: revision)
  }

  /// Closes a replica that has sent nothing for too long, if it still has not.
  mutating func closeIfIdle(_ slot: Int) {
    if replicas.replicas[slot].record.isClosed { return }
    let due = Deadlines.after(
      replicas.replicas[slot].record.lastSeen, settings.settings.limits.replicaIdleMilliseconds)
    guard due <= time else { return deadlines.set(.closeReplica(slot), at: due) }
    var transaction = Transaction(
      epoch: epoch, revision: revision, timestamp: Timestamp(milliseconds: time), author: 0, authorName: .journal)
    close(slot, in: &transaction)
  }
}

extension SwarmState {
  /// Sets the deadlines of all replicas that are not closed, after the state was loaded or the limit has changed.
  mutating func scheduleReplicas() {
    for slot in replicas.replicas.rows.indices where !replicas.replicas[slot].record.isClosed {
      let idle = settings.settings.limits.replicaIdleMilliseconds
      deadlines.set(.closeReplica(slot), at: Deadlines.after(replicas.replicas[slot].record.lastSeen, idle))
    }
  }
}

extension Command {
  /// Where the entry's writes come from, if they were made offline.
  var offline: OfflineOrigin? {
    guard case .replica(.delta(let delta)) = self else { return nil }
    return OfflineOrigin(
      replica: delta.replica, firstNumber: delta.first, timestamp: delta.timestamp, seen: delta.seen)
  }
}
