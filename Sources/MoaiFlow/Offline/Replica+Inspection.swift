import MoaiCRDT

/// What checks may ask of a replica.
extension Replica {
  /// Whether it shows anything that the swarm, as it knows it, does not have.
  package var hasPending: Bool { !state.overlay.isEmpty }

  /// Everything that it shows.
  package var shownValues: [StateKey: StateValue] {
    var values: [StateKey: StateValue] = [:]
    for key in keys() { values[key] = state.view(of: key).reading()?.value }
    return values
  }
}
