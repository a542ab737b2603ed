import MoaiCRDT

/// What the journal knows of one offline replica.
struct ReplicaRecord: Sendable {
  /// Its agent; of one that was only announced, who did that.
  var owner: AgentIndex
  /// Others have met it, and nothing has come from itself: it belongs to whoever sends its first delta.
  var isOnlyAnnounced = false
  /// The number of its last write that the journal has; 0: none.
  var accepted: UInt64 = 0
  /// The number of the last of its writes that another replica has met.
  var announced: UInt64 = 0
  /// The hash of the delta that it was in.
  var hash: UInt64 = 0
  /// Journal time of its last entry, in milliseconds.
  var lastSeen: Int64
  var isClosed = false
  /// The hashes of its newest deltas, oldest first: they tell a replica that comes back with an old copy of its folder
  /// which of its writes the journal has.
  var recent: [AcceptedDelta] = []
  /// Deltas that a rule refused, until they are resolved.
  var kept: [KeptDelta] = []
  /// The keys on which it holds rights, or held some.
  var rights: [StateKey] = []

  /// Raising it makes older copies of a folder recognisable, at 16 bytes a delta.
  static let recentLimit = 256
  /// Raising it lets a replica that is always refused fill more memory before it is stopped.
  static let keptLimit = 256
}

/// A delta that the journal has, by its last number and its hash.
public struct AcceptedDelta: Sendable, Hashable {
  public let last: UInt64
  public let hash: UInt64
}

/// A delta whose writes a rule refused.
public struct KeptDelta: Sendable, Hashable {
  public let delta: ReplicaDelta
  /// The entry that it came in.
  public let revision: Revision
  public let refusal: DeltaRefusal
}

/// The offline replicas of a swarm (rule §5.6). Ids of replicas that were closed are never forgotten: one that comes
/// back must not be taken for new.
struct ReplicaTable: Sendable {
  /// How far a replica's clock may be ahead of the journal's, in milliseconds (rule §1.6).
  static let driftBound: Int64 = 60_000

  var replicas = Table<ReplicaID, ReplicaRecord>()

  /// Whether the next entry of a replica can be taken; nothing changes.
  ///
  /// - Returns: its slot; nil: it is new.
  func admit(_ delta: ReplicaDelta, by author: AgentIndex, _ agents: Agents) throws(ReplicaRefusal) -> Int? {
    guard let slot = replicas.slot(of: delta.replica) else {
      guard delta.first == 1, delta.previousHash == 0 else { throw .unknown(delta.replica) }
      return nil
    }
    let record = replicas[slot].record
    try checkOwner(slot, author, agents)
    guard delta.first > record.accepted else {
      guard record.recent.contains(where: { $0.last == delta.last && $0.hash == delta.hash }) else {
        throw .forked(delta.replica, first: delta.first)
      }
      throw .outOfOrder(delta.replica, first: delta.first, accepted: record.accepted)
    }
    guard !record.isClosed else { throw .closed(delta.replica, accepted: record.accepted) }
    guard delta.first == record.accepted + 1 else {
      throw .outOfOrder(delta.replica, first: delta.first, accepted: record.accepted)
    }
    guard delta.previousHash == record.hash else { throw .forked(delta.replica, first: delta.first) }
    guard record.kept.count < ReplicaRecord.keptLimit else {
      throw .tooManyKept(delta.replica, limit: ReplicaRecord.keptLimit)
    }
    return slot
  }

  private func checkOwner(_ slot: Int, _ author: AgentIndex, _ agents: Agents) throws(ReplicaRefusal) {
    let owner = replicas[slot].record.owner
    guard owner == author || agents[author] == .operator || replicas[slot].record.isOnlyAnnounced else {
      throw .notYours(replicas.id(of: slot), owner: agents[owner])
    }
  }

  /// Uses up the numbers of a delta that was admitted; `refusal`: why its writes are not in the state.
  mutating func consume(
    _ delta: ReplicaDelta, in slot: Int?, by author: AgentIndex, refusal: DeltaRefusal?, at revision: Revision,
    _ time: Int64, _ idle: Int64, _ deadlines: inout Deadlines
  ) {
    let slot = slot ?? insert(delta.replica, author, time)
    own(slot, author)
    let hash = delta.hash
    replicas[slot].record.accepted = delta.last
    replicas[slot].record.hash = hash
    replicas[slot].record.recent.append(AcceptedDelta(last: delta.last, hash: hash))
    if replicas[slot].record.recent.count > ReplicaRecord.recentLimit { replicas[slot].record.recent.removeFirst() }
    if let refusal {
      replicas[slot].record.kept.append(KeptDelta(delta: delta, revision: revision, refusal: refusal))
    }
    touch(slot, at: revision, time, idle, &deadlines)
  }

  /// Notes how far others have met a replica; what the journal has, or has closed, nobody needs to name.
  mutating func announce(
    _ replica: ReplicaID, upTo last: UInt64, by author: AgentIndex, at revision: Revision, _ time: Int64, _ idle: Int64,
    _ deadlines: inout Deadlines
  ) {
    let known = replicas.slot(of: replica)
    let slot = known ?? insert(replica, author, time)
    if known == nil { replicas[slot].record.isOnlyAnnounced = true }
    let record = replicas[slot].record
    guard !record.isClosed, last > max(record.accepted, record.announced) else { return }
    replicas[slot].record.announced = last
    touch(slot, at: revision, time, idle, &deadlines)
  }

  /// What was only announced belongs to who comes first.
  mutating func own(_ slot: Int, _ author: AgentIndex) {
    guard replicas[slot].record.isOnlyAnnounced else { return }
    replicas[slot].record.isOnlyAnnounced = false
    replicas[slot].record.owner = author
  }

  mutating func insert(_ replica: ReplicaID, _ owner: AgentIndex, _ time: Int64) -> Int {
    replicas.insert(ReplicaRecord(owner: owner, lastSeen: time), id: replica)
  }

  mutating func touch(
    _ slot: Int, at revision: Revision, _ time: Int64, _ idle: Int64, _ deadlines: inout Deadlines
  ) {
    replicas[slot].record.lastSeen = time
    replicas.markDirty(slot)
    replicas.touch(slot, at: revision)
    if !replicas[slot].record.isClosed {
      deadlines.setIfAbsent(.closeReplica(slot), at: Deadlines.after(time, idle))
    }
  }

  /// The slot of a replica that `author` may speak for.
  func find(_ replica: ReplicaID, for author: AgentIndex, _ agents: Agents) throws(ReplicaRefusal) -> Int {
    guard let slot = replicas.slot(of: replica) else { throw .unknown(replica) }
    try checkOwner(slot, author, agents)
    return slot
  }

  /// The replicas of which something came, or that were closed, after a revision. Costs what changed.
  func progress(since revision: Revision) -> [ReplicaProgress] {
    var progress: [ReplicaProgress] = []
    replicas.forEachChanged(after: revision) { slot in
      let record = replicas[slot].record
      progress.append(
        ReplicaProgress(
          replica: replicas.id(of: slot), accepted: record.accepted, announced: record.announced,
          isClosed: record.isClosed)
      )
      return true
    }
    return progress.sorted { $0.replica < $1.replica }
  }

  mutating func resolve(_ slot: Int, first: UInt64) throws(ReplicaRefusal) {
    let count = replicas[slot].record.kept.count
    replicas[slot].record.kept.removeAll { $0.delta.first == first }
    guard replicas[slot].record.kept.count < count else { throw .notKept(replicas.id(of: slot), first: first) }
  }
}
