extension Swarm {
  /// Lets go of all history: the horizon moves to now, and the entries before it are removed from the disk. Returns when
  /// they are gone.
  ///
  /// Values stay as they are. History, explanations, values at an earlier revision and rewinds no longer reach back
  /// beyond the revision that is returned, bases before it are refused, and readers that had not come so far get a
  /// snapshot (rules §4.3, §5.3, §6).
  ///
  /// - Throws: `.engine` if that fails; the horizon has then moved or not, and trimming again goes on from there.
  @discardableResult
  public func trimHistory() async throws(SwarmError) -> Revision {
    while isSavingCheckpoint || trimming != nil {
      if let trimming { await trimming.value } else { await withCheckedContinuation { savers.append($0) } }
    }
    if let stopped { throw stopped }
    isSavingCheckpoint = true
    defer { endSaving() }
    // Nothing came since it was moved last: moving it again would add an entry for nothing.
    if core.revision > core.horizon.movedAt {
      if core.revision > checkpointRevision { try await writeRecords(keepingPrevious: false) }
      try await moveHorizon(to: checkpointRevision)
    }
    do {
      let kept = try await journal.checkpoints().map(\.revision)
      if let reached = kept.last(where: { $0 <= core.horizon.revision }) {
        try await journal.trim(to: reached)
        floor = max(floor, reached)
      }
    } catch {
      throw SwarmError(error)
    }
    return horizon
  }

  func planHorizon() async -> HorizonPlan {
    let retention = core.settings.settings.retention
    guard retention.isBounded || core.horizon.revision > floor else { return .stays }
    do {
      var kept: [HorizonPlan.Kept] = []
      for checkpoint in try await journal.checkpoints() {
        kept.append(HorizonPlan.Kept(revision: checkpoint.revision, time: try checkpoint.time()))
      }
      return HorizonPlan(
        kept: kept, floor: floor, horizon: core.horizon.revision, head: core.revision, time: core.time,
        retention: retention)
    } catch {
      // Whoever opens the swarm is told what is wrong with its checkpoints. Until then nothing is trimmed.
      return .stays
    }
  }

  /// Appends the entry that moves the horizon, also while the swarm is being closed.
  func moveHorizon(to revision: Revision) async throws(SwarmError) {
    if let stopped, stopped != .closed { throw stopped }
    let entry = Entry(
      author: .journal, id: options.makeCommandID(), requestHash: 0, command: .journal(.trim(to: revision)))
    if case .refused(let refusal) = try await enqueue(entry).get().result { throw .refused(refusal) }
  }

  /// Removes what lies before a kept checkpoint that the horizon has reached, in the background. One at a time: what a
  /// failure or the end of the process leaves is found by the next checkpoint or opening.
  func trimJournal(to revision: Revision) {
    guard trimming == nil else { return }
    trimming = Task { await self.trim(to: revision) }
  }

  private func trim(to revision: Revision) async {
    do {
      try await journal.trim(to: revision)
      floor = max(floor, revision)
    } catch {
      // Nothing of it is visible, and the next checkpoint tries again.
    }
    trimming = nil
  }

  /// Finishes a trim whose entry is there, and which was cut short by the end of an earlier process.
  func finishTrimming() async {
    guard core.horizon.revision > floor else { return }
    if let floor = await planHorizon().floor, floor <= core.horizon.revision { trimJournal(to: floor) }
  }
}
