extension Swarm {
  /// Appends a tick if something has fallen due, so that it happens though nobody writes. Who ticks, and how often, does
  /// not matter: journal time decides (rule §1.6).
  ///
  /// - Parameter now: milliseconds since 1970, as the engine's clock has it.
  package func tickIfDue(now: Int64) async throws(SwarmError) {
    guard stopped == nil, core.deadlines.isNoticeable(at: now) else { return }
    let entry = Entry(
      author: .journal, id: options.makeCommandID(), requestHash: 0, command: .journal(.tick))
    _ = try await submit(entry).get()
  }
}
