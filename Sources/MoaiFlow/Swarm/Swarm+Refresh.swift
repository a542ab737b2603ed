import MoaiCRDT

extension Swarm {
  /// Applies what other processes appended since, and tells the followers.
  ///
  /// For a swarm that this process only reads. While a batch of its own is under way the writer loop does the same, so
  /// then this does nothing.
  package func refresh() async throws(SwarmError) {
    while !isWriting, stopped == nil {
      let page: [JournalEntry]
      do {
        page = try await journal.read(after: core.revision, entryLimit: 10_000, byteLimit: 16 << 20)
      } catch .trimmed {
        try await reload()
        continue
      } catch {
        throw SwarmError(error)
      }
      if page.isEmpty || isWriting { return }
      for entry in page where entry.revision == core.revision + 1 { publish(try core.apply(entry)) }
    }
  }

  /// Goes on from a checkpoint, because the holder of the journal has trimmed entries that this process had not read.
  /// Followers catch up from there; what they miss is before the horizon, so they get a snapshot (rule §5.3).
  private func reload() async throws(SwarmError) {
    var loaded: SwarmState
    let horizon: Revision
    do {
      horizon = try await journal.horizon()
      loaded = try await SwarmState.loading(from: journal)
    } catch {
      throw SwarmError(error)
    }
    let checkpoint = loaded.revision
    try await loaded.replay(journal)
    guard !isWriting, loaded.revision > core.revision else { return }
    core = loaded
    checkpointRevision = checkpoint
    floor = max(floor, horizon)
    bytesSinceCheckpoint = 0
    for subscriber in subscribers { subscriber.mailbox.overflow() }
    subscribers = []
    waiters.wake(at: core.revision)
  }
}
