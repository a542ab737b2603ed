import MoaiCRDT

/// The shared values of a swarm: one dot store per key (rules §4.1 to §4.8).
///
/// ``apply(_:in:settings:agents:)`` decides and changes in place; the transaction holds the way back. Cost of a write:
/// proportional to its operations, whatever the size of the value, the number of keys or their history.
struct StateTable: Sendable {
  var keys = Table<StateKey, KeyRecord>()
  var order = KeyOrder()

  /// Applies the writes of one entry. On a refusal the caller takes back what the transaction noted.
  mutating func apply(
    _ writes: [KeyWrite], in transaction: inout Transaction, settings: SwarmSettings, agents: Agents
  ) throws(StateRefusal) -> AppliedWrites {
    if writes.count == 1 {
      return .one(try apply(writes[0], in: &transaction, settings: settings, agents: agents))
    }
    var applied: [AppliedWrite] = []
    applied.reserveCapacity(writes.count)
    for write in writes {
      applied.append(try apply(write, in: &transaction, settings: settings, agents: agents))
    }
    return .many(applied)
  }

  private mutating func apply(
    _ write: KeyWrite, in transaction: inout Transaction, settings: SwarmSettings, agents: Agents
  ) throws(StateRefusal) -> AppliedWrite {
    let policy = settings.policy(for: write.key)
    if let policy, !policy.allows(transaction.authorName) {
      throw .notAllowed(write.key, transaction.authorName)
    }
    let found = keys.slot(of: write.key)
    let live = found.flatMap { keys[$0].record.isDeleted ? nil : $0 }
    if let condition = write.condition {
      // A key that this entry has brought into being has no revision yet, whatever its slot had before.
      let current = live.map { keys[$0].record.header.version == 0 ? 0 : keys[$0].revision } ?? 0
      guard condition == current else { throw .conditionFailed(write.key, current: current) }
    }
    let base = write.base ?? write.condition ?? transaction.revision
    guard base <= transaction.revision else { throw .futureBase(write.key, base) }
    // What a replica wrote while it was away may be older than the horizon: its dots say what it had seen.
    if let given = write.base, given < transaction.horizon, transaction.offline == nil {
      throw .baseTrimmed(write.key, base: given, horizon: transaction.horizon)
    }
    let sight = Sight(base: base, transaction)
    transaction.beginWrite(numbers: write.numbers)
    // A replica numbered its writes before it could know which of them bring a key into being.
    let reservedDot = transaction.offline == nil ? nil : transaction.nextDot()

    if case .delete = write.content {
      if let live { delete(live, seenBy: write.base == nil ? nil : sight, in: &transaction, agents: agents) }
      return AppliedWrite(slot: found, overwrote: [])
    }
    let type = try resolveType(of: write, policy: policy, live: live)
    guard
      let slot = live
        ?? create(write, type: type, policy: policy, found: found, as: reservedDot, in: &transaction)
    else {
      return AppliedWrite(slot: found, overwrote: [])
    }
    begin(slot, in: &transaction)
    let sum = keys[slot].record.counterSum
    var overwrote: [Overwritten] = []
    for operation in write.operations {
      try apply(
        operation, to: slot, sight, in: &transaction, settings: settings, agents: agents, overwrote: &overwrote)
    }
    try spend(slot, from: sum, policy?.bounds, in: &transaction)
    let limit = settings.limits.valueBytes
    guard keys[slot].record.viewSize <= limit else { throw .valueTooLarge(write.key, limit: limit) }
    return AppliedWrite(slot: slot, overwrote: overwrote)
  }

  /// The type that the write is for, which must be the key's, its policy's and its operations' (rule §4.1).
  private func resolveType(
    of write: KeyWrite, policy: KeyPolicy?, live: Int?
  ) throws(StateRefusal) -> CRDTType {
    var asked: CRDTType?
    if case .value(let type, _) = write.content { asked = type }
    let holds = live.map { keys[$0].record.header.type } ?? policy?.type
    let type = holds ?? asked ?? write.declaredType ?? write.operations.first?.type ?? .register
    if let asked, asked != type { throw .typeMismatch(write.key, holds: type, asked: asked) }
    if let declared = write.declaredType, declared != type {
      throw .typeMismatch(write.key, holds: type, asked: declared)
    }
    for operation in write.operations where operation.type != type {
      throw .typeMismatch(write.key, holds: type, asked: operation.type)
    }
    if let live, let strategy = write.strategy, strategy != keys[live].record.header.strategy {
      throw .strategyMismatch(write.key, holds: keys[live].record.header.strategy)
    }
    if live == nil, let fixed = policy?.strategy, let strategy = write.strategy, strategy != fixed {
      throw .strategyMismatch(write.key, holds: fixed)
    }
    return type
  }

  /// Brings an absent key into being, or returns nil if the write has nothing to put there.
  private mutating func create(
    _ write: KeyWrite, type: CRDTType, policy: KeyPolicy?, found: Int?, as dot: Dot?, in transaction: inout Transaction
  ) -> Int? {
    if case .operations(let operations) = write.content, !operations.contains(where: { $0.creates }) { return nil }
    let name = dot ?? transaction.nextDot()
    let record = KeyRecord(creating: type, policy?.strategy ?? write.strategy ?? .lww, name, in: transaction)
    if let found {
      let isFirstTouch = isFirstTouch(of: found, in: transaction)
      transaction.record(.replaced(slot: found, keys[found].record))
      keys[found].record = record
      if isFirstTouch { transaction.touch(found) }
      return found
    }
    let slot = keys.insert(record, id: write.key)
    transaction.record(.inserted(slot: slot))
    transaction.touch(slot)
    return slot
  }

  /// Whether this entry has not touched the key yet. What journal time deleted in the same entry is another matter.
  func isFirstTouch(of slot: Int, in transaction: borrowing Transaction) -> Bool {
    guard keys[slot].record.touchedAt == transaction.revision else { return true }
    return transaction.expired.contains(slot) && !transaction.touchedKeys.contains(slot)
  }

  mutating func delete(_ slot: Int, in transaction: inout Transaction) {
    begin(slot, in: &transaction)
    transaction.record(.replaced(slot: slot, keys[slot].record))
    keys[slot].record.contents = .deleted
    keys[slot].record.recent = RecentChanges(since: transaction.revision)
    keys[slot].record.header.contentSize = 0
  }

  /// Notes the first touch of a key by this transaction, with the header to go back to.
  mutating func begin(_ slot: Int, in transaction: inout Transaction) {
    let touchedAt = keys[slot].record.touchedAt
    guard isFirstTouch(of: slot, in: transaction) else { return }
    keys[slot].record.touchedAt = transaction.revision
    transaction.touch(slot)
    transaction.record(.header(slot: slot, keys[slot].record.header, touchedAt: touchedAt))
  }

  private mutating func apply(
    _ operation: StateOperation, to slot: Int, _ sight: Sight, in transaction: inout Transaction,
    settings: SwarmSettings, agents: Agents, overwrote: inout [Overwritten]
  ) throws(StateRefusal) {
    switch operation {
    case .increment, .share, .remove, .removeField:
      // A replica gives every operation a number.
      if transaction.offline != nil { _ = transaction.nextDot() }
    case .add, .put, .assign: break
    }
    switch operation {
    case .increment(let amount): try count(slot, in: &transaction) { $0.addingReportingOverflow(amount) }
    case .share(let share): try count(slot, in: &transaction) { _ in (share, false) }
    case .add(let element):
      try write(
        .null, to: .element(element), of: slot, sight, in: &transaction, settings: settings, agents: agents,
        overwrote: &overwrote)
    case .put(let field, let value):
      try write(
        value, to: .field(field), of: slot, sight, in: &transaction, settings: settings, agents: agents,
        overwrote: &overwrote)
    case .assign(let value):
      try write(
        value, to: .whole, of: slot, sight, in: &transaction, settings: settings, agents: agents,
        overwrote: &overwrote)
    case .remove(let element): erase(.element(element), of: slot, sight, in: &transaction, agents: agents)
    case .removeField(let field): erase(.field(field), of: slot, sight, in: &transaction, agents: agents)
    }
  }

  /// Changes this agent's share of a counter.
  private mutating func count(
    _ slot: Int, in transaction: inout Transaction, _ change: (Int64) -> (Int64, Bool)
  ) throws(StateRefusal) {
    guard case .counter(var shares) = keys[slot].record.contents else { return }
    let old = shares.shares[transaction.author]
    let (new, overflowed) = change(old ?? 0)
    let before = shares.standing
    keys[slot].record.contents = .deleted
    let fits = !overflowed && shares.set(new, of: transaction.author)
    if fits { shares.noteTouch(by: transaction.author, at: transaction.revision) }
    keys[slot].record.contents = .counter(shares)
    guard fits else { throw .counterOverflow(keys.id(of: slot)) }
    transaction.record(.share(slot: slot, agent: transaction.author, old: old, before))
  }

  /// Puts a write in place of those visible at the base (rule §4.2).
  private mutating func write(
    _ value: StateValue, to part: Part, of slot: Int, _ sight: Sight, in transaction: inout Transaction,
    settings: SwarmSettings, agents: Agents, overwrote: inout [Overwritten]
  ) throws(StateRefusal) {
    let revision = transaction.revision
    let limit = settings.limits.siblings
    let dot = transaction.nextDot()
    let written = Written(
      value: value, timestamp: transaction.writeTimestamp, agent: transaction.author, entered: revision)
    let replacement = keys[slot].record.withWrites(of: part) { writes -> Replacement? in
      let unseen = writes.unseen(by: sight)
      guard unseen.count < limit else { return nil }
      let before = writes
      writes = unseen
      writes.insert(dot, written)
      return Replacement(before: before, unseen: unseen, after: writes)
    }
    guard let replacement else { throw .tooManySiblings(keys.id(of: slot), limit: limit) }
    for (_, unseen) in replacement.unseen
    where unseen.agent != transaction.author && unseen.value != value && overwrote.count < Overwritten.limit {
      overwrote.append(Overwritten(agent: agents[unseen.agent], revision: unseen.entered))
    }
    note(replacement, of: part, in: slot, &transaction, agents)
  }

  /// Removes the writes visible at the base; unseen ones stay (rule §4.2).
  mutating func erase(
    _ part: Part, of slot: Int, _ sight: Sight, in transaction: inout Transaction, agents: Agents
  ) {
    let replacement = keys[slot].record.withWrites(of: part) { writes -> Replacement? in
      let unseen = writes.unseen(by: sight)
      guard unseen.count != writes.count else { return nil }
      let before = writes
      writes = unseen
      return Replacement(before: before, unseen: unseen, after: unseen)
    }
    guard let replacement else { return }
    note(replacement, of: part, in: slot, &transaction, agents)
  }

  /// Leaves the way back from a replacement, and accounts for its size.
  mutating func note(
    _ replacement: Replacement, of part: Part, in slot: Int, _ transaction: inout Transaction, _ agents: Agents
  ) {
    transaction.record(.part(slot: slot, part, replacement.before))
    let sizeBefore = part.viewSize(showing: replacement.before.shown(agents))
    let sizeAfter = part.viewSize(showing: replacement.after.shown(agents))
    keys[slot].record.header.contentSize += sizeAfter - sizeBefore
  }
}

/// The writes of a part before and after an operation.
struct Replacement {
  let before: Writes
  /// Those that the operation leaves standing.
  let unseen: Writes
  let after: Writes
}

/// What became of the writes of an entry; nearly always there is one.
enum AppliedWrites {
  case one(AppliedWrite)
  case many([AppliedWrite])
}

/// What became of one write of an entry, before the commit gives its key a revision.
struct AppliedWrite {
  /// Nil: the key is absent and always was.
  let slot: Int?
  let overwrote: [Overwritten]
}

extension Overwritten {
  /// How many overwritten writes an answer names at most.
  static let limit = 16
}
