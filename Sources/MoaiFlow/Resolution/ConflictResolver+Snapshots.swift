import MoaiCRDT

/// Rule §3.7.
extension ConflictResolver {
  func joinSnapshots(_ versions: [StateVersion], declared: CRDTType?) throws(ResolutionError) -> Resolution.Outcome {
    let state = SnapshotState(joining: try contributions(of: versions), declared: declared)
    if let same = ownWrite(in: versions, state) ?? greatestInput(of: versions, where: { $0 == .crdt(state) }) {
      return .input(same)
    }
    let view: StateValue
    do {
      view = try state.view()
    } catch {
      switch error {
      case .misfit(let agent, let type):
        throw ResolutionError(.misfit(type), at: versions.firstIndex { contributes(agent, to: $0, state) })
      case .sumOutOfRange: throw ResolutionError(.sumOutOfRange)
      }
    }
    do {
      try limits.check(view)
    } catch {
      throw ResolutionError(.valueRefused(error))
    }
    return .joined(
      StateVersion(
        joined: versions[0].key, value: view, version: try nextVersion(after: versions), timestamp: state.timestamp,
        agent: coordinator, vectorClock: nil, crdtType: declared, crdtState: .crdt(state), metadata: .empty))
  }

  /// What the versions contribute, their own value or what they carry.
  func contributions(of versions: [StateVersion]) throws(ResolutionError) -> [SnapshotState.Contribution] {
    var all: [SnapshotState.Contribution] = []
    all.reserveCapacity(versions.count)
    for index in versions.indices {
      let version = versions[index]
      switch version.crdtState {
      case .crdt(let state): all.append(contentsOf: state.contributions)
      case .vector, .custom: throw ResolutionError(.foreignState, at: index)
      case nil:
        guard version.agent != coordinator else { throw ResolutionError(.coordinatorAsAgent, at: index) }
        guard version.metadata["merged_from_agents"] == nil else {
          throw ResolutionError(.mergedWithoutState, at: index)
        }
        if let type = version.crdtType, !type.canHold(version.value) { throw ResolutionError(.misfit(type), at: index) }
        all.append(version.contribution)
      }
    }
    return all
  }

  /// The greatest input that is itself all there is in the state. It is preferred to one that carries the same state,
  /// so that the outcome does not depend on whether a step in between had to carry it (rule §3.1).
  private func ownWrite(in versions: [StateVersion], _ state: SnapshotState) -> Int? {
    guard state.contributions.count == 1 else { return nil }
    var greatest: Int?
    for index in versions.indices {
      let version = versions[index]
      guard version.crdtState == nil, version.crdtType == state.declared,
        version.contribution == state.contributions[0]
      else { continue }
      if let present = greatest, StateVersion.restOrder(version, versions[present]) <= 0 { continue }
      greatest = index
    }
    return greatest
  }

  private func contributes(_ agent: UTF8String, to version: StateVersion, _ state: SnapshotState) -> Bool {
    let carried =
      if case .crdt(let state) = version.crdtState { state.contributions } else {
        [version.contribution]
      }
    return state.contributions.contains { $0.agent == agent && carried.contains($0) }
  }
}
