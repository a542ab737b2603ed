package import MoaiCRDT

/// What checks may ask of a state from outside of the core.
extension SwarmState {
  /// A key as a reader would see it now; nil: it is absent.
  package func reading(of key: StateKey) -> StateReading? {
    state.reading(of: key, agents: agents, cursor: Cursor(epoch: epoch, revision: revision))
  }

  /// What of the way to a counter's bounds is reserved.
  package func reserved(of key: StateKey) -> CounterRight {
    guard let slot = state.keys.slot(of: key), case .counter(let counter) = state.keys[slot].record.contents else {
      return CounterRight()
    }
    return counter.reserved
  }

  /// What replicas may spend of a counter.
  package func rights(on key: StateKey) -> [ReplicaID: CounterRight] {
    guard let slot = state.keys.slot(of: key), case .counter(let counter) = state.keys[slot].record.contents else {
      return [:]
    }
    return counter.rights
  }
}
