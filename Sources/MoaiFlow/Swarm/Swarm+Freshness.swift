extension Swarm {
  public func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await reach(freshness)
    return try await answer(query)
  }

  /// Returns when everything up to the revision is applied, by whomever it was written.
  private func reach(_ freshness: Freshness) async throws(SwarmError) {
    let revision = try target(of: freshness)
    if core.revision >= revision { return }
    if let stopped { throw stopped }
    guard freshness.limit > .zero else { throw .notReached(revision, head: core.revision) }
    guard waiters.count < options.waitingReaders else { throw .busy }
    let waiter = RevisionWaiter(for: revision)
    waiters.insert(waiter)
    let (clock, limit) = (freshness.clock, freshness.limit)
    let timer = Task {
      // The sleep ends early only when the wait has ended.
      try? await clock.sleep(for: limit)
      waiter.end(.gaveUp)
    }
    let ending = await waiter.ending()
    timer.cancel()
    switch ending {
    case .reached: return
    case .ended(let error): throw error
    case .gaveUp:
      waiters.remove(waiter)
      // It may have come on the way here.
      if core.revision < revision { throw .notReached(revision, head: core.revision) }
    }
  }

  private func target(of freshness: Freshness) throws(SwarmError) -> Revision {
    let revision: Revision
    switch freshness.revision {
    case .cursor(let cursor) where cursor.epoch != epoch:
      throw .trimmed("\(cursor) belongs to another epoch of this swarm; read again")
    case .cursor(let cursor): revision = cursor.revision
    case .revision(let number): revision = number
    }
    guard revision >= 0 else { throw .invalid(field: "/at_least", "\(revision) is no revision") }
    return revision
  }
}
