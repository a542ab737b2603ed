import MoaiCRDT

/// One step of a write on the state table, told backwards.
enum StateInverse {
  case inserted(slot: Int)
  /// The record before a deletion, or before a deleted key came back.
  indirect case replaced(slot: Int, KeyRecord)
  case header(slot: Int, KeyRecord.Header, touchedAt: Revision)
  case share(slot: Int, agent: AgentIndex, old: Int64?, CounterShares.Standing)
  case right(slot: Int, replica: ReplicaID, old: CounterRight?)
  case part(slot: Int, Part, Writes)

  var slot: Int {
    switch self {
    case .inserted(let slot), .replaced(let slot, _), .header(let slot, _, _), .share(let slot, _, _, _),
      .part(let slot, _, _), .right(let slot, _, _):
      slot
    }
  }
}

extension StateTable {
  mutating func undo(_ inverse: StateInverse) {
    switch inverse {
    case .inserted: keys.removeLast()
    case .replaced(let slot, let record): keys[slot].record = record
    case .header(let slot, let header, let touchedAt):
      keys[slot].record.header = header
      keys[slot].record.touchedAt = touchedAt
    case .part(let slot, let part, let writes): keys[slot].record.withWrites(of: part) { $0 = writes }
    case .share(let slot, let agent, let old, let before):
      guard case .counter(var shares) = keys[slot].record.contents else { return }
      keys[slot].record.contents = .deleted
      if let old { _ = shares.set(old, of: agent) } else { shares.remove(agent) }
      shares.touch = before.touch
      keys[slot].record.contents = .counter(shares)
    case .right(let slot, let replica, let old):
      guard case .counter(var shares) = keys[slot].record.contents else { return }
      keys[slot].record.contents = .deleted
      shares.setRight(old, of: replica)
      keys[slot].record.contents = .counter(shares)
    }
  }

  /// Gives the keys that the entry changed visibly their new revision and version, remembers what they showed before,
  /// and returns the changes in the order in which the entry touched the keys. A key that shows what it showed before
  /// keeps revision, version and author, and nobody is told (rule §4.7).
  mutating func commit(_ transaction: inout Transaction, agents: Agents) -> [StateChange] {
    if transaction.touchedKeys.count == 1, let slot = transaction.touchedKeys.first {
      let change = commit(slot, steps: transaction.inverses, in: transaction, agents: agents)
      digest(slot, into: &transaction.digest)
      return change.map { [$0] } ?? []
    }
    let steps = Dictionary(grouping: transaction.inverses, by: { $0.slot })
    var changes: [StateChange] = []
    for slot in transaction.touchedKeys {
      if let change = commit(slot, steps: steps[slot] ?? [], in: transaction, agents: agents) {
        changes.append(change)
      }
      digest(slot, into: &transaction.digest)
    }
    return changes
  }

  private mutating func commit(
    _ slot: Int, steps: [StateInverse], in transaction: borrowing Transaction, agents: Agents
  ) -> StateChange? {
    keys.markDirty(slot)
    let wasAbsent = KeyRecord.wasAbsent(before: steps)
    let isAbsent = keys[slot].record.isDeleted
    if wasAbsent, isAbsent { return nil }
    if isAbsent { return publish(slot, .deleted, in: transaction, agents: agents) }
    if wasAbsent || steps.contains(where: { $0.isReplacement }) {
      order.insert(slot)
      return publish(slot, .value(keys[slot].record.view(agents)), in: transaction, agents: agents)
    }
    let changes = visibleChanges(of: slot, steps: steps, at: transaction.revision, agents: agents)
    guard !changes.operations.isEmpty else { return nil }
    keys[slot].record.remember(changes.before)
    return publish(slot, .operations(changes.operations), in: transaction, agents: agents)
  }

  private mutating func publish(
    _ slot: Int, _ content: StateChange.Content, in transaction: borrowing Transaction, agents: Agents
  ) -> StateChange {
    keys[slot].record.header.version += 1
    keys[slot].record.header.agent = transaction.author
    keys[slot].record.header.timestamp = transaction.timestamp
    keys.touch(slot, at: transaction.revision)
    return change(of: slot, content, agents: agents)
  }

  /// The parts that show something else than before the entry, in the order of their first change.
  private func visibleChanges(
    of slot: Int, steps: [StateInverse], at revision: Revision, agents: Agents
  ) -> VisibleChanges {
    let header = keys[slot].record.header
    var changes = VisibleChanges()
    var seen: Set<Part> = []
    let mayRepeat = steps.count > 2
    for step in steps {
      switch step {
      case .part(_, let part, let writes):
        if mayRepeat, !seen.insert(part).inserted { continue }
        let before = writes.shown(agents)?.value
        let now = keys[slot].record.writes(of: part)
        let shown = now.shown(agents)?.value
        guard shown != before || header.strategy == .vector && now.siblings(agents) != writes.siblings(agents)
        else { continue }
        changes.operations.append(part.operation(showing: shown))
        // A register's value replaces what was there, whatever it was.
        if header.type != .register { changes.before.append(.init(revision: revision, part: part, before: before)) }
      case .share(_, _, _, let before):
        let sum = before.sum
        let sumNow = keys[slot].record.counterSum
        if mayRepeat, !seen.insert(.whole).inserted { continue }
        guard sumNow != sum else { continue }
        changes.operations.appendIncrements(from: .int(sum), to: sumNow)
        changes.before.append(.init(revision: revision, part: .whole, before: .int(sum)))
      case .inserted, .replaced, .header, .right: continue
      }
    }
    return changes
  }
}

/// What an entry did to a key, as readers see it.
private struct VisibleChanges {
  /// What turns the value before the entry into the value now.
  var operations: [StateOperation] = []
  /// What the parts showed before.
  var before: [RecentChanges.Change] = []
}

extension KeyRecord {
  /// Notes what the parts showed before an entry, and forgets what is too old to be worth its bytes.
  fileprivate mutating func remember(_ changes: [RecentChanges.Change]) {
    if changes.isEmpty { return }
    for change in changes { recent.append(change) }
    recent.trim(to: RecentChanges.freeBytes + viewSize)
  }

  /// Whether the key was absent before the entry whose inverses are given.
  fileprivate static func wasAbsent(before steps: [StateInverse]) -> Bool {
    for step in steps {
      switch step {
      case .inserted: return true
      case .replaced(_, let record): return record.isDeleted
      case .header, .share, .part, .right: continue
      }
    }
    return false
  }
}

extension StateInverse {
  fileprivate var isReplacement: Bool {
    if case .replaced = self { true } else { false }
  }
}
