/// The past of shared state, as anybody may read it. All of it reaches back to the horizon and costs a replay.
extension StateAccess {
  /// Who changed a key, when and how: one page, newest first (rule §6.1).
  public func history(
    of key: String, limit: Int = 50, before: RevisionReference? = nil
  ) async throws(SwarmError) -> HistoryPage {
    let query = HistoryQuery(try StateKey(checking: key), limit: limit, before: before)
    guard case .history(let page) = try await connection.answer(.history(query)) else { connection.mismatch() }
    return page
  }

  /// Why a key's value is what it is (rule §6.1); nil: the key never was.
  public func explain(
    _ key: String, part: KeyExplanation.Part? = nil, limit: Int = 100
  ) async throws(SwarmError) -> KeyExplanation? {
    let query = ExplanationQuery(try StateKey(checking: key), part: part, limit: limit)
    guard case .explanation(let explanation) = try await connection.answer(.explanation(query)) else {
      connection.mismatch()
    }
    return explanation
  }

  /// What a rewind would do; nothing is written (rule §6.3).
  public func rehearse(_ request: RewindRequest) async throws(SwarmError) -> RewindReport {
    try await connection.rewind(request, as: .operator, via: nil, id: nil, dryRun: true)
  }
}

extension StateSynchronizer {
  /// Takes recorded writes back, in the name of this agent (rules §6.2, §6.3): all of them or, unless the request is
  /// partial, none. `report.revision` is nil if nothing was written.
  @discardableResult
  public func rewind(_ request: RewindRequest, id: CommandID? = nil) async throws(SwarmError) -> RewindReport {
    try await connection.rewind(request, as: agent, via: via, id: id, dryRun: false)
  }
}
