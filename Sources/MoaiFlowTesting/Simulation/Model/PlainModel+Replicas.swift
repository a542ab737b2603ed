import MoaiCRDT
import MoaiFlow

/// An offline replica as the plain model knows it.
struct PlainReplica {
  var owner: AgentID
  /// Named by who has met it; whoever sends its first delta owns it.
  var isOnlyAnnounced = false
  /// How far others have met it.
  var announced: UInt64 = 0
  var accepted: UInt64 = 0
  var hash: UInt64 = 0
  var lastSeen: Int64
  var isClosed = false
  /// First numbers of the deltas that a rule refused.
  var kept: Set<UInt64> = []
}

extension PlainModel.Writer {
  /// What a replica knows beside its base: its own writes, and those of others that it had met.
  func hasSeen(_ dot: Dot?) -> Bool {
    guard let dot, let delta else { return false }
    return dot.replica == delta.replica || dot.number <= delta.seen[dot.replica]
  }
}

extension PlainModel {
  /// How far a replica's clock may be ahead, in milliseconds.
  private static let drift: Int64 = 60_000

  mutating func decide(_ command: ReplicaCommand, by author: AgentID) -> PlainVerdict {
    let id = command.replica
    let known = replicas[id]
    if let known, known.owner != author, !known.isOnlyAnnounced, author != .operator, !command.isAnnouncement {
      return .refused(.replica)
    }
    switch command {
    case .delta(let delta): return decide(delta, by: author)
    case .reserve(_, let key, let right):
      if known?.isClosed == true { return .refused(.replica) }
      guard reserve(right, on: key, for: id) else { return .refused(.replica) }
      if known == nil { replicas[id] = PlainReplica(owner: author, lastSeen: time) }
      own(id, author)
      replicas[id]?.lastSeen = time
      return .replica
    case .close:
      if known == nil { replicas[id] = PlainReplica(owner: author, lastSeen: time) }
      close(id)
      return .replica
    case .resolve(_, let first):
      guard replicas[id]?.kept.remove(first) != nil else { return .refused(.replica) }
      replicas[id]?.lastSeen = time
      return .replica
    case .announce(_, let last):
      let replica = known ?? PlainReplica(owner: author, isOnlyAnnounced: true, lastSeen: time)
      replicas[id] = replica
      if !replica.isClosed, last > replica.accepted, last > replica.announced {
        replicas[id]?.announced = last
        replicas[id]?.lastSeen = time
      }
      return .replica
    }
  }

  private mutating func decide(_ delta: ReplicaDelta, by author: AgentID) -> PlainVerdict {
    let known = replicas[delta.replica] ?? PlainReplica(owner: author, lastSeen: time)
    guard !known.isClosed, delta.first == known.accepted + 1, delta.previousHash == known.hash, known.kept.count < 256
    else { return .refused(.replica) }
    let numbers = delta.writes.reduce(UInt64(0)) { sum, write in
      switch write.content {
      case .operations(let operations), .value(_, let operations): sum + UInt64(operations.count) + 1
      case .delete: sum + 1
      }
    }
    replicas[delta.replica] = known
    own(delta.replica, author)
    replicas[delta.replica]?.accepted = delta.first + numbers - 1
    replicas[delta.replica]?.hash = delta.hash
    replicas[delta.replica]?.lastSeen = time
    func keep(_ reason: PlainVerdict.Reason) -> PlainVerdict {
      replicas[delta.replica]?.kept.insert(delta.first)
      return .kept(reason)
    }
    if delta.timestamp.milliseconds > time + PlainModel.drift { return keep(.clockAhead) }
    let base = base(of: delta)
    if base >= revision { return keep(.futureBase) }
    var writer = Writer(agent: author, timestamp: delta.timestamp, delta: delta, number: delta.first)
    let writes = delta.writes.map {
      KeyWrite(key: $0.key, content: $0.content, base: base, declaredType: $0.declaredType, strategy: $0.strategy)
    }
    switch perform(writes, by: &writer, at: nextTimestamp) {
    case .success(let verdicts): return .merged(verdicts)
    case .failure(let reason): return keep(reason)
    }
  }

  private mutating func reserve(_ right: CounterRight, on name: StateKey, for replica: ReplicaID) -> Bool {
    guard let bounds = policy(of: name)?.bounds, let key = keys[name], key.type == .counter else { return false }
    let down = key.rights.values.reduce(Int128(right.down)) { $0 + Int128($1.down) }
    let up = key.rights.values.reduce(Int128(right.up)) { $0 + Int128($1.up) }
    if bounds.minimum == nil, bounds.maximum == nil { return false }
    if right.down > 0 {
      guard let minimum = bounds.minimum, key.exactSum - down >= Int128(minimum) else { return false }
    }
    if right.up > 0 {
      guard let maximum = bounds.maximum, key.exactSum + up <= Int128(maximum) else { return false }
    }
    let held = key.rights[replica] ?? CounterRight()
    keys[name]?.rights[replica] = CounterRight(down: held.down + right.down, up: held.up + right.up)
    return true
  }

  private mutating func own(_ replica: ReplicaID, _ author: AgentID) {
    guard replicas[replica]?.isOnlyAnnounced == true else { return }
    replicas[replica]?.isOnlyAnnounced = false
    replicas[replica]?.owner = author
  }

  private mutating func close(_ replica: ReplicaID) {
    replicas[replica]?.isClosed = true
    for name in keys.keys { keys[name]?.rights[replica] = nil }
  }

  mutating func closeIdleReplicas() {
    for (id, replica) in replicas where !replica.isClosed {
      if replica.lastSeen + settings.limits.replicaIdleMilliseconds <= time { close(id) }
    }
  }
}

extension ReplicaCommand {
  /// Anybody may say whom they have met.
  fileprivate var isAnnouncement: Bool { if case .announce = self { true } else { false } }
}
