import MoaiCRDT

/// Rule §3.6.
extension ConflictResolver {
  func joinWrites(_ versions: [StateVersion]) throws(ResolutionError) -> Resolution.Outcome {
    if let aligned = AlignedClocks(versions) {
      guard let clock = aligned.clock else { return .input(aligned.undominated[0]) }
      let elements = aligned.undominated.map { VectorState.Element(versions[$0]) }
      return .joined(try version(of: VectorState(descending: elements), clock: clock, from: versions))
    }

    let join = vectorJoin(of: versions)
    // What is left alone was somebody's own write: an input's state with several writes could not shrink to one of them.
    if join.candidates.count == 1, let source = join.candidates[0].source { return .input(source) }

    let state = VectorState(concurrent: join.elements)
    if let same = greatestInput(of: versions, where: { $0 == .vector(state) }) { return .input(same) }
    return .joined(try version(of: state, clock: state.clock, from: versions))
  }

  private func version(
    of state: VectorState, clock: VectorClock<UTF8String>, from versions: [StateVersion]
  ) throws(ResolutionError) -> StateVersion {
    let shown = state.elements[0]
    return StateVersion(
      joined: versions[0].key, value: shown.value, version: try nextVersion(after: versions),
      timestamp: shown.timestamp, agent: shown.agent, vectorClock: clock, crdtType: nil, crdtState: .vector(state),
      metadata: .empty)
  }

  /// The undominated writes of all versions. A version that carries writes stands for those, any other for its own.
  func vectorJoin(of versions: [StateVersion]) -> VectorJoin {
    var join = VectorJoin(reservingCapacity: versions.count)
    for index in versions.indices {
      if case .vector(let state) = versions[index].crdtState {
        for element in state.elements { join.insert(element, source: nil) { _ in false } }
      } else {
        join.insert(VectorState.Element(versions[index]), source: index) {
          StateVersion.restOrder(versions[index], versions[$0]) > 0
        }
      }
    }
    return join
  }

  /// The greatest input, by the order of rule §3.4, whose carried state fits; of equal ones the first.
  func greatestInput(of versions: [StateVersion], where fits: (ResolutionState) -> Bool) -> Int? {
    var greatest: Int?
    for index in versions.indices {
      guard let state = versions[index].crdtState, fits(state) else { continue }
      if let present = greatest, StateVersion.lwwOrder(versions[index], versions[present]) <= 0 { continue }
      greatest = index
    }
    return greatest
  }
}
