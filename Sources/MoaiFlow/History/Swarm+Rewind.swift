import MoaiCRDT

extension Swarm {
  /// Plans of one rewind at most: each one that another write overtakes is made anew.
  static let rewindAttempts = 5

  public func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID? = nil, id: CommandID? = nil, dryRun: Bool = false
  ) async throws(SwarmError) -> RewindReport {
    if let stopped { throw stopped }
    let hash = request.hash(author: author, via: via)
    let id = id ?? options.makeCommandID()
    var overtaken: StateRefusal?
    for attempt in 0..<Swarm.rewindAttempts {
      // An attempt that was overtaken is an outcome of its own, so the next one takes an id of its own.
      let id = id.attempt(attempt)
      if !dryRun, let first = core.outcome(of: id, by: author, requestHash: hash) {
        if case .refused(.state(.changedSincePlanned)) = first.result { continue }
        return try await report(ofRepeat: first, of: request)
      }
      let target = try target(of: request)
      let planner = RewindPlanner(
        journal: journal, request: request, target: target, head: core.revision, horizon: horizon)
      let plan = try await planner.plan()
      guard !dryRun, let command = plan.command else { return plan.report }
      let refusal = hopelessness(of: command)
      if let refusal {
        overtaken = refusal
        continue
      }
      let entry = Entry(author: author, via: via, id: id, requestHash: hash, command: .state(.rewind(command)))
      let outcome = try await submit(entry).get()
      switch outcome.result {
      case .refused(.state(let refusal)):
        guard case .changedSincePlanned = refusal else { throw .refused(.state(refusal)) }
        overtaken = refusal
      case .refused(let refusal): throw .refused(refusal)
      default:
        var report = plan.report
        report.revision = outcome.revision
        return report
      }
    }
    throw overtaken.map { .refused(.state($0)) } ?? .busy
  }

  private func target(of request: RewindRequest) throws(SwarmError) -> RewindTarget {
    guard request.keys.count <= RewindRequest.patternLimit else {
      throw .invalid(field: "/keys", "\(request.keys.count) patterns, at most \(RewindRequest.patternLimit)")
    }
    for (index, pattern) in request.keys.enumerated() where pattern.text.count > RewindRequest.patternBytes {
      throw .invalid(
        field: "/keys/\(index)", "\(pattern.text.count) bytes, at most \(RewindRequest.patternBytes)")
    }
    switch request.target {
    case .agent(let agent, let since):
      let since = try resolve(since, field: "/since")
      try requireKept(since)
      return .agent(agent, since: since)
    case .revision(let revision):
      let revision = try resolve(revision, field: "/revision")
      guard revision > 0 else { throw .invalid(field: "/revision", "the first entry has revision 1") }
      try requireKept(revision - 1)
      return .revision(revision)
    }
  }

  /// The refusal that applying the rewind would end in, if one of its keys has changed already.
  private func hopelessness(of rewind: RewindCommand) -> StateRefusal? {
    for effect in rewind.effects {
      let slot = core.state.keys.slot(of: effect.key)
      let touchedAt = slot.map { core.state.keys[$0].record.touchedAt }
      if touchedAt != effect.expected { return .changedSincePlanned(effect.key) }
    }
    return nil
  }

  /// What was answered to a rewind that was asked for before under the same id: planned again where it was planned then.
  ///
  /// Once its history has been trimmed, only its revision is known.
  private func report(ofRepeat outcome: Outcome, of request: RewindRequest) async throws(SwarmError) -> RewindReport {
    if case .refused(let refusal) = outcome.result { throw .refused(refusal) }
    do throws(SwarmError) {
      guard let command = try await rewind(at: outcome.revision) else { throw SwarmError.trimmed("") }
      let planner = RewindPlanner(
        journal: journal, request: request, target: command.target, head: command.plannedAt, horizon: horizon)
      var report = try await planner.plan().report
      report.revision = outcome.revision
      return report
    } catch .trimmed {
      return RewindReport(
        revision: outcome.revision, plannedAt: outcome.revision, entries: 0, changes: [], unchanged: [], blocked: [],
        dependents: [], dependentCount: 0)
    }
  }

  private func rewind(at revision: Revision) async throws(SwarmError) -> RewindCommand? {
    let entries: [JournalEntry]
    do { entries = try await journal.read(after: revision - 1, entryLimit: 1, byteLimit: 1) } catch {
      throw SwarmError(error)
    }
    guard let stored = entries.first, stored.revision == revision else { return nil }
    let entry: Entry
    do { entry = try Entry(decoding: stored.payload) } catch { throw .corrupt(revision: revision, "\(error)") }
    guard case .state(.rewind(let command)) = entry.command else { return nil }
    return command
  }
}

extension CommandID {
  /// The id of the n-th attempt at a command; of the first one, the id itself.
  fileprivate func attempt(_ number: Int) -> CommandID {
    guard number > 0 else { return self }
    var hash = StableHash(seed: low)
    hash.combine(high)
    hash.combine(UInt64(number))
    return CommandID(high: high, low: hash.finalize())
  }
}

extension RewindRequest {
  fileprivate func hash(author: AgentID, via: AgentID?) -> UInt64 {
    var writer = ByteWriter(reservingCapacity: 64)
    writer.string(author.name.string)
    writer.string(via?.name.string ?? "")
    writer.byte(3)
    switch target {
    case .agent(let agent, let since):
      writer.string(agent.name.string)
      writer.reference(since)
    case .revision(let revision): writer.reference(revision)
    }
    for pattern in keys { writer.string(pattern.text.string) }
    writer.bool(isPartial)
    var hash = StableHash()
    hash.combine(bytes: writer.bytes)
    return hash.finalize()
  }
}
