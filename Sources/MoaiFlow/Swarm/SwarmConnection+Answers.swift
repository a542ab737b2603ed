extension SwarmConnection {
  func reading(of key: StateKey, at revision: RevisionReference? = nil) async throws(SwarmError) -> StateReading? {
    guard case .value(let reading) = try await answer(.value(key, at: revision)) else { mismatch() }
    return reading
  }

  public func status() async throws(SwarmError) -> SwarmStatus {
    guard case .status(let status) = try await answer(.status) else { mismatch() }
    return status
  }

  /// The settings in force, and the revision as of which they are.
  public func settings() async throws(SwarmError) -> (settings: SwarmSettings, revision: Revision) {
    guard case .settings(let settings, let revision) = try await answer(.settings) else { mismatch() }
    return (settings, revision)
  }

  /// Replaces the settings; returns the revision from which on they hold.
  @discardableResult
  public func replaceSettings(
    _ settings: SwarmSettings, as author: AgentID = .operator, id: CommandID? = nil
  ) async throws(SwarmError) -> Revision {
    let outcome = try await perform(Request(author: author, id: id, body: .settings(settings)))
    if case .refused(let refusal) = outcome.result { throw .refused(refusal) }
    return outcome.revision
  }

  func mismatch() -> Never {
    preconditionFailure("a connection answers every query with its own case")
  }
}
