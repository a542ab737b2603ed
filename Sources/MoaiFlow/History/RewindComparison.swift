import MoaiCRDT

/// From a key as it is to the key as it would be: what goes and what comes back.
///
/// Two writes are the same if part, value, author and time are; their dots may differ, because what a rewind brings back
/// gets a new one. Costs the parts of the two values.
struct RewindComparison {
  private let now: SwarmState

  init(_ now: SwarmState) {
    self.now = now
  }

  func effect(
    on key: StateKey, leadingTo wanted: KeyRecord?, reach: Revision
  ) throws(RewindReport.Obstacle) -> KeyRewind {
    guard let slot = now.state.keys.slot(of: key) else {
      preconditionFailure("a key that an entry wrote has its place")
    }
    let current = now.state.keys[slot].record
    let target = wanted.flatMap { $0.isDeleted ? nil : $0 }
    let effect: KeyRewind.Effect
    if let target {
      let limit = now.settings.settings.limits.valueBytes
      if target.viewSize > limit, target.viewSize > current.viewSize { throw .tooLarge }
      if let bounds = now.settings.settings.policy(for: key)?.bounds, case .counter(let wanted) = target.contents {
        // A counter that comes back begins with nothing.
        var held = CounterShares()
        if case .counter(let there) = current.contents { held = there }
        guard bounds.allows(wanted.sum, after: held.sum, reserved: held.reserved) else { throw .bound }
      }
      effect = try self.effect(from: current, to: target)
    } else {
      effect = current.isDeleted ? .none : .delete
    }
    guard effect.dots <= Dot.operationsPerEntry else { throw .tooLarge }
    return KeyRewind(key: key, expected: current.touchedAt, reach: reach, effect: effect)
  }

  private func effect(from current: KeyRecord, to target: KeyRecord) throws(RewindReport.Obstacle) -> KeyRewind.Effect {
    let isSameKind =
      !current.isDeleted && current.header.type == target.header.type
      && current.header.strategy == target.header.strategy
    switch (isSameKind ? current.contents : .deleted, target.contents) {
    case (.counter(let old), .counter(let new)):
      let shares = try shares(from: old, to: new)
      return shares.isEmpty ? .none : .shares(shares)
    case (.register(let old), .register(let new)): return exchange([.whole: old], for: [.whole: new])
    case (.parts(let old), .parts(let new)): return exchange(old, for: new)
    case (_, .counter(let new)):
      return .create(
        .counter, target.header.strategy, restored: [], shares: try shares(from: CounterShares(), to: new))
    case (_, .register(let new)): return creation(of: target, [.whole: new])
    case (_, .parts(let new)): return creation(of: target, new)
    case (_, .deleted): return .delete
    }
  }

  private func creation(of target: KeyRecord, _ parts: [Part: Writes]) -> KeyRewind.Effect {
    guard case .parts(_, let restored) = exchange([:], for: parts) else {
      return .create(target.header.type, target.header.strategy, restored: [], shares: [])
    }
    return .create(target.header.type, target.header.strategy, restored: restored, shares: [])
  }

  private func exchange(_ old: [Part: Writes], for new: [Part: Writes]) -> KeyRewind.Effect {
    var removed: [RemovedWrite] = []
    var restored: [RestoredWrite] = []
    let parts = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
    for part in parts.sorted(by: { $0.precedes($1) }) {
      var missing = Array(new[part] ?? Writes())
      for (dot, written) in old[part] ?? Writes() {
        if let match = missing.firstIndex(where: { $0.value.isLike(written) }) {
          missing.remove(at: match)
        } else {
          removed.append(RemovedWrite(part: part, dot: dot))
        }
      }
      restored += missing.map { dot, written in
        RestoredWrite(
          part: part, value: written.value, agent: now.agents[written.agent], timestamp: written.timestamp,
          origin: written.entered)
      }
    }
    return removed.isEmpty && restored.isEmpty ? .none : .parts(removed: removed, restored: restored)
  }

  /// The shares that change, in the order of their agents. A sum that leaves 64 bits, also on the way, is a bound.
  private func shares(
    from old: CounterShares, to new: CounterShares
  ) throws(RewindReport.Obstacle) -> [RestoredShare] {
    var changed: [RestoredShare] = []
    var trial = old
    for agent in Set(old.shares.keys).union(new.shares.keys).sorted(by: { now.agents[$0] < now.agents[$1] }) {
      let share = new.shares[agent] ?? 0
      guard share != old.shares[agent] ?? 0 else { continue }
      guard trial.set(share, of: agent) else { throw .bound }
      changed.append(RestoredShare(agent: now.agents[agent], share: share))
    }
    return changed
  }
}

extension Written {
  fileprivate func isLike(_ other: Written) -> Bool {
    timestamp == other.timestamp && agent == other.agent && value == other.value
  }
}
