import MoaiCRDT

/// An offline replica as a value: what it wrote, what it has of the swarm, what it met of other replicas (rule §5.6).
///
/// Pure: the time is an argument, records to be stored are collected and taken by the actor around it.
struct ReplicaState: Sendable {
  /// The replica's agent: the author of all its writes.
  let agent: AgentID
  let swarm: SwarmName
  var id: ReplicaID
  /// The number of the next write.
  var next: UInt64 = 1
  /// The hash of the last delta.
  var lastHash: UInt64 = 0
  var clock = HybridLogicalClock()
  /// This replica's deltas that the journal does not surely have for good, oldest first.
  var log: [LoggedDelta] = []
  /// The number of the last write that the journal has, as far as it is known here.
  var accepted: UInt64 = 0
  /// The last number under this replica's id that the replica met last knew of. Not stored: whoever has it says it again.
  var met: UInt64 = 0
  var overlay = Overlay()
  var mirror = ReplicaMirror()
  var settings = SwarmSettings()
  /// What may still be spent offline, unsent spending subtracted.
  var rights: [StateKey: CounterRight] = [:]
  /// Deltas that a rule refused, as the swarm lists them.
  var kept: [KeptDelta] = []
  /// Deltas of which nobody knows whether the journal has them: found in an old copy of the folder, and older than what
  /// the journal remembers. They are not sent again, because they might count twice.
  var doubtful: [ReplicaDelta] = []
  /// Ids that this replica has given up, and the last number that the journal had of each then. Nobody may go on waiting
  /// for writes under them, so they are closed; those that the mirror knows to be closed are forgotten.
  var formerIDs: [ReplicaID: UInt64] = [:]
  /// Whether the overlay has changed in another way than by this replica's own writes, which the log has.
  var isOverlayChanged = false
  /// What must be stored.
  var changes: [CheckpointRecord.Position: [UInt8]?] = [:]

  struct LoggedDelta: Sendable {
    let delta: ReplicaDelta
    let hash: UInt64
    /// The entry that it is in, or a later one; nil: it is not known to be in the journal.
    var entered: Revision?

    init(_ delta: ReplicaDelta, entered: Revision? = nil) {
      self.delta = delta
      hash = delta.hash
      self.entered = entered
    }
  }

  /// A replica that is born now.
  init(agent: AgentID, swarm: SwarmName, id: ReplicaID) {
    self.agent = agent
    self.swarm = swarm
    self.id = id
    noteHead()
  }

  var epoch: Epoch? { mirror.epoch }

  func view(of key: StateKey) -> ReplicaView {
    ReplicaView(key: key, mirrored: mirror.keys[key], overlay: overlay[key], epoch: epoch)
  }

  /// The keys that are there, in order.
  func keys(prefix: String) -> [StateKey] {
    let filter = KeyFilter(prefix: prefix)
    let offline = overlay.keys.filter { mirror.keys[$0] == nil }
    return (Array(mirror.keys.keys) + offline)
      .filter { filter.matches($0) && view(of: $0).type != nil }.sorted()
  }

  /// Deltas that the journal is not known to have, oldest first.
  var unsent: ArraySlice<LoggedDelta> {
    let first = log.firstIndex { $0.delta.last > accepted } ?? log.endIndex
    return log[first...]
  }

  /// What was seen of other replicas that the journal did not have yet. Of the ids that this replica has given up, only
  /// what the journal had when it gave them up: numbers behind that are another copy's by now.
  private var seen: VectorClock<ReplicaID> {
    VectorClock(
      overlay.context.clock.entries.lazy
        .map { ($0.id, min($0.number, formerIDs[$0.id] ?? .max)) }
        .filter { $0.0 != id && $0.1 > mirror.accepted($0.0) })
  }
}

// MARK: - Writing

extension ReplicaState {
  /// Makes one delta of writes that were planned, and applies it here.
  mutating func append(_ writes: [KeyWrite], now: Int64) {
    // A clock that was wrong once, and was set right, must not make all later writes come from the future.
    if clock.last.milliseconds > Deadlines.after(now, ReplicaTable.driftBound) { clock = HybridLogicalClock() }
    let delta = ReplicaDelta(
      replica: id, first: next, base: mirror.cursor, seen: seen, previousHash: lastHash,
      timestamp: clock.tick(now: now),
      writes: writes)
    append(delta)
    spend(delta)
  }

  mutating func append(_ delta: ReplicaDelta) {
    let logged = LoggedDelta(delta)
    log.append(logged)
    next = delta.last + 1
    lastHash = logged.hash
    apply(delta)
    note(logged)
    noteHead()
  }

  /// Puts a delta of this replica over the mirror. Each write replaces what it had seen; the numbers that it does not use
  /// count as seen.
  mutating func apply(_ delta: ReplicaDelta) {
    var unused = CausalContext()
    var number = delta.first
    for write in delta.writes {
      let named = Dot(delta.replica, number)
      number += write.numbers
      let isNamed = name(write, delta, named)
      if !isNamed { unused.insert(named) }
      for (index, operation) in write.operations.enumerated() {
        apply(operation, of: write.key, delta, Dot(delta.replica, named.number + 1 + UInt64(index)))
      }
    }
    overlay.forget(unused)
  }

  /// Deletes the key or brings it into being, as the write says. Returns whether its first number was used.
  private mutating func name(_ write: KeyWrite, _ delta: ReplicaDelta, _ dot: Dot) -> Bool {
    if case .delete = write.content {
      var gone = CausalContext()
      overlay[write.key]?.forEachDot { if delta.hasSeen($0) { gone.insert($0) } }
      overlay.forget(gone)
      guard mirror.keys[write.key] != nil else { return false }
      put(.deleted, at: .deletion, of: write.key, dot, delta)
      return true
    }
    guard view(of: write.key).type == nil, let type = write.createdType else { return false }
    put(.created(type, write.strategy ?? .lww), at: .creation, of: write.key, dot, delta)
    return true
  }

  private mutating func apply(_ operation: StateOperation, of key: StateKey, _ delta: ReplicaDelta, _ dot: Dot) {
    switch operation {
    case .increment(let amount), .share(let amount):
      let write = OverlayWrite(content: .count(amount), agent: agent, timestamp: delta.timestamp, base: delta.base)
      overlay.put(write, at: .count, of: key, dot: dot, seenBy: nil)
    case .add(let element): put(.value(.null), at: .part(.element(element)), of: key, dot, delta)
    case .put(let field, let value): put(.value(value), at: .part(.field(field)), of: key, dot, delta)
    case .assign(let value): put(.value(value), at: .part(.whole), of: key, dot, delta)
    case .remove(let element): remove(.element(element), of: key, delta, dot)
    case .removeField(let field): remove(.field(field), of: key, delta, dot)
    }
  }

  /// A removal stays as a write only where it hides something that the mirror shows.
  private mutating func remove(_ part: Part, of key: StateKey, _ delta: ReplicaDelta, _ dot: Dot) {
    let entered = mirror.keys[key]?.parts[part]?.origin.revision
    let hides = entered.map { $0 <= delta.base(in: epoch) } ?? false
    put(hides ? .removed : nil, at: .part(part), of: key, dot, delta)
  }

  private mutating func put(
    _ content: OverlayWrite.Content?, at place: OverlayPlace, of key: StateKey, _ dot: Dot, _ delta: ReplicaDelta
  ) {
    let write = content.map {
      OverlayWrite(content: $0, agent: agent, timestamp: delta.timestamp, base: delta.base)
    }
    overlay.put(write, at: place, of: key, dot: dot, seenBy: delta)
  }

  /// Subtracts what a delta spends from what is reserved.
  mutating func spend(_ delta: ReplicaDelta) {
    for write in delta.writes {
      guard var right = rights[write.key] else { continue }
      let step = write.operations.step
      if step < 0 { right.down = Int64(max(0, Int128(right.down) + step)) }
      if step > 0 { right.up = Int64(max(0, Int128(right.up) - step)) }
      rights[write.key] = right.isEmpty ? nil : right
    }
    noteHead()
  }
}

extension ReplicaDelta {
  /// The revision that its writes have as base in an epoch; 0 in every other.
  fileprivate func base(in epoch: Epoch?) -> Revision { epoch.map { base(in: $0) } ?? 0 }
}

extension KeyWrite {
  /// The type of a key that the write brings into being; nil: it brings none.
  fileprivate var createdType: CRDTType? {
    if case .value(let type, _) = content { return type }
    guard operations.contains(where: \.creates) else { return nil }
    return declaredType ?? operations.first?.type
  }
}

extension [StateOperation] {
  /// By how much the operations move a counter.
  var step: Int128 {
    reduce(0) { sum, operation in
      if case .increment(let amount) = operation { sum + Int128(amount) } else { sum }
    }
  }
}
