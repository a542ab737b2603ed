import MoaiCRDT

/// Rule §3.6.
extension ConflictResolver {
  func joinWrites(_ versions: [StateVersion]) throws(ResolutionError) -> Resolution.Outcome {
    switch AlignedJoin(versions) {
    case .one(let index): return .input(index)
    case .several(let elements, let clock):
      let version = try nextVersion(after: versions)
      return .written(VectorState(descending: elements), clock: clock, version: version)
    case nil: break
    }

    let join = vectorJoin(of: versions)
    // What is left alone was somebody's own write: an input's state with several writes could not shrink to one of them.
    if join.candidates.count == 1, let source = join.candidates[0].source { return .input(source) }

    let state = VectorState(concurrent: join.elements)
    if let same = greatestInput(of: versions, where: { $0 == .vector(state) }) { return .input(same) }
    return .written(state, clock: state.clock, version: try nextVersion(after: versions))
  }

  /// The undominated writes of all versions. A version that carries writes stands for those, any other for its own.
  func vectorJoin(of versions: [StateVersion]) -> VectorJoin {
    var join = VectorJoin(reservingCapacity: versions.count)
    for index in versions.indices {
      if case .vector(let state) = versions[index].crdtState {
        for element in state.elements { join.insert(element, source: nil) { _ in false } }
      } else {
        join.insert(versions[index].write, source: index) {
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
