import MoaiCRDT

/// Rule §3.8.
extension ConflictResolver {
  func joinInputs(_ versions: [StateVersion], _ custom: CustomStrategy) throws(ResolutionError) -> Resolution.Outcome {
    let name = UTF8String(custom.name)
    var all: [StateVersion] = []
    for index in versions.indices {
      guard case .custom(let state) = versions[index].crdtState else {
        all.append(versions[index].with(metadata: Resolution.withoutReport(versions[index].metadata)))
        continue
      }
      guard state.strategy == name else { throw ResolutionError(.foreignState, at: index) }
      guard custom.decide(state.inputs) == versions[index].value else { throw ResolutionError(.notTheView, at: index) }
      all.append(contentsOf: state.inputs)
    }
    guard let state = CustomState(strategy: name, joining: all) else { throw ResolutionError(.tooManyInputs) }
    if state.inputs.count == 1 { return .input(0) }
    if let same = greatestInput(of: versions, where: { $0 == .custom(state) }) { return .input(same) }

    let value = custom.decide(state.inputs)
    do {
      try limits.check(value)
    } catch {
      throw ResolutionError(.valueRefused(error))
    }
    return .joined(
      StateVersion(
        joined: versions[0].key, value: value, version: try nextVersion(after: versions), timestamp: state.timestamp,
        agent: coordinator, vectorClock: nil, crdtType: nil, crdtState: .custom(state), metadata: .empty))
  }
}
