import MoaiCRDT

/// Works a rewind out: from what is recorded to the entry that takes it back (rules §6.2, §6.3; decision 0007).
///
/// Two passes over the journal from where the rewind begins, the first of them behind a replay up to there. Memory: the
/// swarm at both ends, about 100 bytes for each key of each entry between them, and the affected keys once more.
struct RewindPlanner {
  let journal: any Journal
  let request: RewindRequest
  let target: RewindTarget
  /// Entries up to here are taken into account.
  let head: Revision
  let horizon: Revision

  struct Plan {
    /// Nil: there is nothing to take back, or a blocked key stops it.
    let command: RewindCommand?
    let report: RewindReport
  }

  /// What is to be taken back on one key.
  private struct Affected {
    /// Positions in the key's timeline.
    let covered: [Int]
    let counts: [Bool]
    /// The first entry among them, or among what the rewinds among them cover.
    let reach: Revision
    /// The first entry that has to be looked at again.
    let needed: Revision
  }

  func plan() async throws(SwarmError) -> Plan {
    var start =
      switch target {
      case .agent(_, let since): since
      case .revision(let revision): revision - 1
      }
    while true {
      let scan = try await HistoryScan(journal, after: start, through: head)
      let affected = affected(in: scan)
      guard let needed = affected.values.map(\.needed).filter({ $0 > horizon }).min(), needed <= start else {
        return try await plan(affected, scan, start: start)
      }
      start = needed - 1
    }
  }

  private func affected(in scan: HistoryScan) -> [StateKey: Affected] {
    let target = KeyFact.Target(target, scan.end.agents)
    var affected: [StateKey: Affected] = [:]
    for (key, timeline) in scan.timelines where request.matches(key) {
      guard timeline.facts.contains(where: { $0.isTarget(of: target) }) else { continue }
      let covered = timeline.covered(by: target)
      guard let reach = covered.map({ timeline.facts[$0].reach }).min() else { continue }
      // A rewind on the way left out entries that may lie further back: they must not count here either.
      let needed = timeline.facts.filter(\.isRewind).map(\.reach).min() ?? .max
      affected[key] = Affected(
        covered: covered, counts: timeline.counting(adding: covered), reach: reach, needed: min(reach, needed))
    }
    return affected
  }

  private func plan(_ affected: [StateKey: Affected], _ scan: HistoryScan, start: Revision) async throws(SwarmError)
    -> Plan
  {
    var counterfactual = Counterfactual(scan, counting: affected.mapValues(\.counts))
    try await counterfactual.run(journal, after: start, through: head)
    var effects: [KeyRewind] = []
    var blocked: [RewindReport.Blocked] = []
    let comparison = RewindComparison(scan.end)
    // What the entry itself would let go first is as good as gone.
    let expiring = Set(affected.keys.filter { scan.end.isExpiring($0) })
    for (key, course) in affected.sorted(by: { $0.key < $1.key }) where !expiring.contains(key) {
      do throws(RewindReport.Obstacle) {
        guard course.needed > horizon else { throw RewindReport.Obstacle.trimmed }
        if counterfactual.recreated.contains(key) { throw RewindReport.Obstacle.recreated }
        if counterfactual.overflown.contains(key) { throw RewindReport.Obstacle.bound }
        effects.append(try comparison.effect(on: key, leadingTo: counterfactual.record(of: key), reach: course.reach))
      } catch {
        blocked.append(.init(key: key, obstacle: error))
      }
    }
    guard effects.count <= RewindCommand.limit, effects.reduce(0, { $0 + $1.effect.dots }) <= Dot.operationsPerEntry
    else {
      throw .invalid(
        field: "/keys", "more than \(RewindCommand.limit) keys or parts in one entry; name fewer keys")
    }
    let isStopped = effects.isEmpty || (!blocked.isEmpty && !request.isPartial)
    let command = RewindCommand(
      target: target, keys: request.keys, isPartial: request.isPartial, plannedAt: head, effects: effects)
    return Plan(
      command: isStopped ? nil : command,
      report: report(of: command, affected, blocked, expiring, scan))
  }
}

// MARK: - The report

extension RewindPlanner {
  private func report(
    of command: RewindCommand, _ affected: [StateKey: Affected], _ blocked: [RewindReport.Blocked],
    _ expiring: Set<StateKey>, _ scan: HistoryScan
  ) -> RewindReport {
    var entries: Set<Revision> = []
    var dependents: [RewindReport.Dependent] = []
    var unchanged = Array(expiring)
    var changes: [RewindReport.Change] = []
    let contents = rehearse(command, on: scan.end)
    for effect in command.effects {
      guard let course = affected[effect.key], let timeline = scan.timelines[effect.key] else { continue }
      for position in course.covered { entries.insert(timeline.facts[position].revision) }
      dependents += timeline.dependents(on: course.covered, course.counts, of: effect.key, scan.end.agents)
      if let change = contents.changes[effect.key] {
        changes.append(
          .init(
            key: effect.key, type: change.type, entries: course.covered.count, content: change.content,
            before: scan.end.state.value(of: effect.key, scan.end.agents),
            after: contents.after.state.value(of: effect.key, contents.after.agents)))
      } else {
        unchanged.append(effect.key)
      }
    }
    unchanged.sort()
    dependents.sort { $0.revision == $1.revision ? $0.key < $1.key : $0.revision < $1.revision }
    return RewindReport(
      revision: nil, plannedAt: head, entries: entries.count, changes: changes, unchanged: unchanged, blocked: blocked,
      dependents: Array(dependents.prefix(RewindReport.dependentLimit)), dependentCount: dependents.count)
  }

  /// Applies the entry to a copy, so that a dry run shows what the entry does and not what it was meant to do.
  private func rehearse(
    _ command: RewindCommand, on end: SwarmState
  ) -> (changes: [StateKey: StateChange], after: SwarmState) {
    var after = end
    let entry = Entry(
      author: .operator, id: CommandID(high: 0, low: UInt64(end.revision)), requestHash: 0,
      command: .state(.rewind(command)))
    let applied = after.apply(entry, revision: end.revision + 1, appendedAt: end.time, payloadHash: 0)
    return (Dictionary(applied.changes.map { ($0.key, $0) }, uniquingKeysWith: { $1 }), after)
  }
}

extension KeyTimeline {
  /// The writes that count and whose writers had seen the first of the covered ones.
  fileprivate func dependents(
    on covered: [Int], _ counts: [Bool], of key: StateKey, _ agents: Agents
  ) -> [RewindReport.Dependent] {
    guard let first = covered.first.map({ facts[$0].revision }) else { return [] }
    return facts.indices.compactMap { position in
      let fact = facts[position]
      guard counts[position], case .write(let sight?) = fact.kind, sight >= first, fact.revision > first else {
        return nil
      }
      return .init(revision: fact.revision, agent: agents[fact.author], key: key)
    }
  }
}

extension StateTable {
  fileprivate func value(of key: StateKey, _ agents: Agents) -> StateValue? {
    guard let slot = keys.slot(of: key), !keys[slot].record.isDeleted else { return nil }
    return keys[slot].record.view(agents)
  }
}
