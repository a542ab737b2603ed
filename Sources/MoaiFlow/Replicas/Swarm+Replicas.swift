import MoaiCRDT

extension Swarm {
  /// Refuses a delta that no replica of ours would make: such bytes are not worth an entry.
  func check(_ delta: ReplicaDelta) throws(SwarmError) {
    guard !delta.writes.isEmpty else { throw .invalid(field: "/deltas/ops", "no operations") }
    guard delta.writes.allSatisfy({ $0.base == nil && $0.condition == nil }) else {
      throw .invalid(field: "/deltas/ops", "a write of a delta has no base of its own")
    }
    guard 1...ReplicaDelta.greatestNumber ~= delta.first, delta.numbers <= UInt64(ReplicaDelta.numberLimit) else {
      throw .invalid(field: "/deltas/ops", "more than \(ReplicaDelta.numberLimit) operations in one delta")
    }
    if let base = delta.base, base.epoch == epoch, base.revision > core.revision {
      throw .futureRevision(base.revision, head: core.revision)
    }
    // The settings of the swarm may be stricter; what they refuse is kept, so that the deltas behind it go on.
    let limits = ValueLimits(encodedBytes: SwarmLimits.maximumValueBytes)
    for value in delta.writes.flatMap(\.operations).compactMap(\.value) {
      do { try limits.check(value) } catch { throw .invalid(field: "/deltas/ops", "\(error)") }
    }
  }

  /// Refuses the number of a write that no replica of ours would make.
  func check(announced last: UInt64) throws(SwarmError) {
    guard 1...ReplicaDelta.greatestNumber ~= last else {
      throw .invalid(field: "/n", "\(last) is no number of a write")
    }
  }

  func replicaStatus(of replica: ReplicaID) -> ReplicaStatus? {
    core.replicas.replicas.slot(of: replica).map { status(in: $0) }
  }

  /// All of them, in the order of their ids.
  func replicaStatuses() -> [ReplicaStatus] {
    core.replicas.replicas.rows.indices.map { status(in: $0) }.sorted { $0.replica < $1.replica }
  }

  private func status(in slot: Int) -> ReplicaStatus {
    let row = core.replicas.replicas[slot]
    let replica = core.replicas.replicas.id(of: slot)
    var rights: [StateKey: CounterRight] = [:]
    for key in row.record.rights {
      guard let place = core.state.keys.slot(of: key),
        case .counter(let counter) = core.state.keys[place].record.contents
      else { continue }
      rights[key] = counter.rights[replica]
    }
    return ReplicaStatus(
      replica: replica, owner: core.agents[row.record.owner], isOnlyAnnounced: row.record.isOnlyAnnounced,
      accepted: row.record.accepted, hash: row.record.hash, announced: row.record.announced,
      isClosed: row.record.isClosed, lastSeen: row.record.lastSeen, recent: row.record.recent, kept: row.record.kept,
      rights: rights)
  }
}

extension ReplicaTable {
  /// Why a command can never be taken any more; nil: that depends on what comes before it.
  func hopelessness(of command: ReplicaCommand) -> ReplicaRefusal? {
    guard case .delta(let delta) = command, let slot = replicas.slot(of: delta.replica) else { return nil }
    let record = replicas[slot].record
    return record.isClosed ? .closed(delta.replica, accepted: record.accepted) : nil
  }
}

extension ReplicaDelta {
  /// The same delta is the same command, however often it is sent; another one under the same number is not.
  package var commandID: CommandID { CommandID(high: replica.rawValue, low: hash) }
}

extension StateOperation {
  /// The value that the operation carries.
  var value: StateValue? {
    switch self {
    case .add(let value), .remove(let value), .put(_, let value), .assign(let value): value
    case .increment, .share, .removeField: nil
    }
  }
}
