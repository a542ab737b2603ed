import MoaiCRDT

/// What happened to each key after a revision: the first of two passes over the journal that a rewind makes.
///
/// Keeps the swarm as it stood at both ends and about 100 bytes for each key of each entry between them.
struct HistoryScan: Sendable {
  let start: SwarmState
  private(set) var end: SwarmState
  private(set) var timelines: [StateKey: KeyTimeline] = [:]

  init(_ journal: any Journal, after start: Revision, through end: Revision) async throws(SwarmError) {
    let before = try await SwarmState.past(of: journal, at: start)
    self.start = before
    var walk = JournalWalk(journal, from: before, through: end)
    self.end = before
    while let step = try await walk.next() {
      let applied = walk.apply(step)
      note(step, applied, walk.state)
    }
    self.end = walk.state
  }

  private mutating func note(_ step: JournalWalk.Step, _ applied: SwarmState.Applied, _ state: SwarmState) {
    for change in applied.changes where change.agent == .journal {
      append(.expiry, to: change.key, step, applied, state)
    }
    guard applied.hasWritten else { return }
    if case .state(.rewind(let rewind)) = step.entry.command {
      let target = KeyFact.Target(rewind.target, state.agents)
      for effect in rewind.effects {
        append(.rewind(target, reach: effect.reach), to: effect.key, step, applied, state)
      }
      return
    }
    // Every write of a replica's delta was made with what the replica had of the swarm.
    var replicaSight: Revision?
    if case .replica(.delta(let delta)) = step.entry.command { replicaSight = delta.base(in: state.epoch) }
    let writes = step.entry.writes
    for key in step.entry.stateKeys {
      let sight = writes.compactMap { $0.key == key ? replicaSight ?? $0.sight(at: step.revision) : nil }.max()
      append(.write(sight: sight), to: key, step, applied, state)
    }
  }

  private mutating func append(
    _ kind: KeyFact.Kind, to key: StateKey, _ step: JournalWalk.Step, _ applied: SwarmState.Applied, _ state: SwarmState
  ) {
    // A removal from a key that never was did nothing, and never will have.
    guard let slot = state.state.keys.slot(of: key) else { return }
    var incarnation: KeyFact.Incarnation?
    // A key that expired may be there again: the entry that let it expire has created it anew.
    if !kind.isExpiry, !state.state.keys[slot].record.isDeleted {
      let header = state.state.keys[slot].record.header
      incarnation = .init(created: header.created, type: header.type, strategy: header.strategy)
    }
    timelines[key, default: KeyTimeline()].append(
      KeyFact(
        revision: step.revision, author: state.agents.number(of: step.entry.author) ?? 0, timestamp: applied.timestamp,
        kind: kind, incarnation: incarnation))
  }
}

extension KeyWrite {
  /// Up to which revision the writer had evidently seen the key. Without a base an operation that replaces or removes
  /// is taken to have looked; one that only adds is not.
  fileprivate func sight(at revision: Revision) -> Revision? {
    if let base = base ?? condition { return base }
    if case .delete = content { return revision - 1 }
    return operations.contains { $0.replaces } ? revision - 1 : nil
  }
}

extension StateOperation {
  fileprivate var replaces: Bool {
    switch self {
    case .increment, .share, .add: false
    case .remove, .put, .removeField, .assign: true
    }
  }
}
