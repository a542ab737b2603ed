extension Swarm {
  /// Saves a checkpoint in the background when enough was applied since the last one.
  func saveCheckpointIfDue() {
    let entries = core.revision - checkpointRevision
    guard entries >= Int64(options.checkpointEntries) || bytesSinceCheckpoint >= options.checkpointBytes else { return }
    guard !isSavingCheckpoint, stopped == nil else { return }
    isSavingCheckpoint = true
    // A failure costs nothing but a longer replay; the records go into the next checkpoint.
    Task { try? await self.writeCheckpoint() }
  }

  /// Saves a checkpoint of everything applied so far, so that opening replays nothing.
  func saveCheckpoint() async throws(SwarmError) {
    guard !isSavingCheckpoint, core.revision > checkpointRevision else { return }
    if let stopped, stopped != .closed { return }
    isSavingCheckpoint = true
    try await writeCheckpoint()
  }

  private func writeCheckpoint() async throws(SwarmError) {
    defer {
      isSavingCheckpoint = false
      for saver in savers { saver.resume() }
      savers = []
    }
    let checkpoint = core.prepareCheckpoint()
    let bytes = bytesSinceCheckpoint
    bytesSinceCheckpoint = 0
    do {
      try await journal.save(checkpoint.update)
      checkpointRevision = checkpoint.update.revision
    } catch {
      core.abandon(checkpoint)
      bytesSinceCheckpoint += bytes
      throw SwarmError(error)
    }
  }
}
