import MoaiCRDT

extension StateTable {
  /// Applies a rewind: whole, or not at all.
  ///
  /// It holds only if no entry touched one of its keys since it was planned. That, and nothing else, decides: which
  /// writes go and which come back was worked out before. Costs what goes and comes back.
  mutating func apply(
    _ rewind: RewindCommand, in transaction: inout Transaction, settings: SwarmSettings, agents: Agents
  ) throws(StateRefusal) {
    for effect in rewind.effects {
      // A key is there once: what one effect did is no state that another one was planned on.
      guard let slot = keys.slot(of: effect.key), effect.expected < transaction.revision,
        keys[slot].record.touchedAt == effect.expected, effect.effect.fits(keys[slot].record)
      else {
        throw .changedSincePlanned(effect.key)
      }
      switch effect.effect {
      case .none: continue
      case .parts(let removed, let restored):
        begin(slot, in: &transaction)
        apply(removed: removed, restored: restored, to: slot, in: &transaction, agents: agents)
      case .shares(let shares):
        begin(slot, in: &transaction)
        let sum = keys[slot].record.counterSum
        try set(shares, of: slot, in: &transaction, agents: agents)
        if let bounds = settings.policy(for: effect.key)?.bounds { try check(slot, after: sum, bounds) }
      case .delete:
        if !keys[slot].record.isDeleted { delete(slot, in: &transaction) }
      case .create(let type, let strategy, let restored, let shares):
        if !keys[slot].record.isDeleted { delete(slot, in: &transaction) }
        create(type, strategy, in: slot, &transaction)
        apply(removed: [], restored: restored, to: slot, in: &transaction, agents: agents)
        try set(shares, of: slot, in: &transaction, agents: agents)
        if let bounds = settings.policy(for: effect.key)?.bounds { try check(slot, after: 0, bounds) }
      }
    }
  }

  /// The answer to a rewind that was applied at `revision`.
  func outcome(of rewind: RewindCommand, at revision: Revision) -> StateOutcome {
    StateOutcome(
      keys: rewind.effects.compactMap { effect in
        guard let slot = keys.slot(of: effect.key) else { return nil }
        let isAbsent = keys[slot].record.isDeleted
        let changed = keys[slot].revision == revision
        return KeyResult(
          key: effect.key, revision: isAbsent && !changed ? 0 : keys[slot].revision,
          version: isAbsent ? 0 : keys[slot].record.header.version, changed: changed, overwrote: [])
      })
  }

  /// Exchanges writes part by part, each part in one step, so that one inverse takes it back.
  private mutating func apply(
    removed: [RemovedWrite], restored: [RestoredWrite], to slot: Int, in transaction: inout Transaction, agents: Agents
  ) {
    var order: [Part] = []
    var exchanges: [Part: (removed: Set<Dot>, restored: [(Dot, Written)])] = [:]
    for write in removed {
      if exchanges[write.part] == nil { order.append(write.part) }
      exchanges[write.part, default: ([], [])].removed.insert(write.dot)
    }
    for write in restored {
      if exchanges[write.part] == nil { order.append(write.part) }
      guard let agent = agents.number(of: write.agent) else { continue }
      let written = Written(
        value: write.value, timestamp: write.timestamp, agent: agent, entered: transaction.revision)
      exchanges[write.part, default: ([], [])].restored.append((transaction.nextDot(), written))
    }
    for part in order {
      guard let exchange = exchanges[part] else { continue }
      let replacement = keys[slot].record.withWrites(of: part) { writes -> Replacement in
        let before = writes
        writes.removeAll { dot, _ in exchange.removed.contains(dot) }
        let unseen = writes
        for (dot, written) in exchange.restored { writes.insert(dot, written) }
        return Replacement(before: before, unseen: unseen, after: writes)
      }
      note(replacement, of: part, in: slot, &transaction, agents)
    }
  }

  private mutating func set(
    _ shares: [RestoredShare], of slot: Int, in transaction: inout Transaction, agents: Agents
  ) throws(StateRefusal) {
    guard !shares.isEmpty else { return }
    guard case .counter(var counter) = keys[slot].record.contents else { throw .changedSincePlanned(keys.id(of: slot)) }
    keys[slot].record.contents = .deleted
    var fits = true
    for share in shares where fits {
      guard let agent = agents.number(of: share.agent) else { continue }
      let old = counter.shares[agent]
      let before = counter.standing
      fits = counter.set(share.share, of: agent)
      if fits {
        counter.noteTouch(by: transaction.author, at: transaction.revision)
        transaction.record(.share(slot: slot, agent: agent, old: old, before))
      }
    }
    keys[slot].record.contents = .counter(counter)
    guard fits else { throw .counterOverflow(keys.id(of: slot)) }
  }

  /// Puts a new incarnation into the slot of a deleted key.
  private mutating func create(
    _ type: CRDTType, _ strategy: KeyStrategy, in slot: Int, _ transaction: inout Transaction
  ) {
    let isFirstTouch = isFirstTouch(of: slot, in: transaction)
    transaction.record(.replaced(slot: slot, keys[slot].record))
    keys[slot].record = KeyRecord(creating: type, strategy, transaction.nextDot(), in: transaction)
    if isFirstTouch { transaction.touch(slot) }
  }
}

extension KeyRewind.Effect {
  /// Whether this can happen to such a key. What the planner made fits; bytes from elsewhere need not.
  fileprivate func fits(_ record: KeyRecord) -> Bool {
    switch self {
    case .none, .delete: true
    case .parts(let removed, let restored):
      !record.isDeleted && removed.allSatisfy { $0.part.fits(record.header.type) }
        && restored.allSatisfy { $0.part.fits(record.header.type) }
    case .shares: !record.isDeleted && record.header.type == .counter
    case .create(let type, _, let restored, let shares):
      restored.allSatisfy { $0.part.fits(type) } && (type == .counter || shares.isEmpty)
    }
  }
}

extension Part {
  /// Whether values of the type have such parts.
  fileprivate func fits(_ type: CRDTType) -> Bool {
    switch (self, type) {
    case (.whole, .register), (.field, .map), (.element, .set): true
    default: false
    }
  }
}
