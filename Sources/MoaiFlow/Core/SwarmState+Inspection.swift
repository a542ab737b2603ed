/// What checks may ask of a state from outside of the core.
extension SwarmState {
  /// A key as a reader would see it now; nil: it is absent.
  package func reading(of key: StateKey) -> StateReading? {
    state.reading(of: key, agents: agents, cursor: Cursor(epoch: epoch, revision: revision))
  }
}
