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

  /// The horizon moves first, so that its entry is in the checkpoint; the journal is trimmed last, when the checkpoint
  /// that it is trimmed to is certain to be kept.
  private func writeCheckpoint() async throws(SwarmError) {
    defer { endSaving() }
    let plan = await planHorizon()
    // If it cannot move now, the next checkpoint plans again.
    if let revision = plan.moves { try? await moveHorizon(to: revision) }
    if let stopped, stopped != .closed { throw stopped }
    try await writeRecords(keepingPrevious: plan.keepsPrevious)
    if let floor = plan.floor, floor <= core.horizon.revision { trimJournal(to: floor) }
  }

  func writeRecords(keepingPrevious: Bool) async throws(SwarmError) {
    let checkpoint = core.prepareCheckpoint(keepingPrevious: keepingPrevious)
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

  func endSaving() {
    isSavingCheckpoint = false
    for saver in savers { saver.resume() }
    savers = []
  }
}
