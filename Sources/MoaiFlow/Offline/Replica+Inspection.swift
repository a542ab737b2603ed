package import MoaiCRDT

/// What checks may ask of a replica.
extension Replica {
  /// Whether it shows anything that the swarm, as it knows it, does not have.
  package var hasPending: Bool { !state.overlay.isEmpty }

  /// Whether it shows no offline writes but its own, and has learnt nothing of the swarm since it made them.
  package var isUndisturbed: Bool {
    guard state.unsent.allSatisfy({ $0.delta.base == cursor }) else { return false }
    return state.overlay.keys.allSatisfy { key in
      var isUndisturbed = true
      state.overlay[key]?.forEach { _, writes in
        for (dot, write) in writes where dot.replica != state.id || write.base != cursor { isUndisturbed = false }
      }
      return isUndisturbed
    }
  }

  /// The keys of which something is not in the journal, as far as it knows, in their order.
  package var pendingKeys: [StateKey] { state.overlay.keys.sorted() }

  /// Its id, the number of its last write, and of the last one that is stored.
  package var place: (id: ReplicaID, last: UInt64, stored: UInt64) { (state.id, state.next - 1, storedUpTo) }

  /// Ids that it has given up and does not know to be closed yet.
  package var abandonedIDs: Set<ReplicaID> { Set(state.formerIDs.keys) }

  /// The hash of its last delta, which stands for all before it.
  package var lastHash: UInt64 { state.lastHash }

  /// Deltas that the swarm has, as another replica told, while its answer to them was lost: until the next exchange nobody
  /// here knows whether a rule refused them.
  package var unanswered: [ReplicaDelta] {
    let taken = state.mirror.accepted(state.id)
    return state.log.map(\.delta).filter { $0.last > state.accepted && $0.last <= taken }
  }

  /// Everything that it shows.
  package var shownValues: [StateKey: StateValue] {
    var values: [StateKey: StateValue] = [:]
    for key in keys() { values[key] = state.view(of: key).reading()?.value }
    return values
  }
}
