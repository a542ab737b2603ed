import MoaiCRDT

/// What happened to the parts of one key, gathered on the way through a journal.
///
/// Of each part the last few writes that are gone and the removals that missed it; of each share of a counter the last
/// few entries. So memory follows the size of the value and not the length of the history.
struct KeyTrace {
  /// What happened to one part of the present incarnation.
  struct PartEvents {
    /// Newest last.
    var lost: [KeyExplanation.Loss] = []
    var lostCount = 0
    /// Removals that left a write standing, with that write.
    var missed: [(removal: KeyExplanation.Author, write: Written)] = []
  }

  struct ShareEvents {
    var entries = 0
    /// Newest last.
    var last: [KeyExplanation.ShareReason.Step] = []
  }

  /// A write whatever its dot: what a rewind brings back keeps all of this.
  struct Origin: Hashable {
    let part: Part
    let agent: AgentIndex
    let timestamp: Timestamp
  }

  let key: StateKey
  /// The only part that is wanted; nil: all.
  let part: Part?

  private(set) var end: SwarmState?
  private(set) var created: KeyExplanation.Author?
  private(set) var deleted: KeyExplanation.Author?
  private(set) var deletions = 0
  private(set) var parts: [Part: PartEvents] = [:]
  private(set) var shares: [AgentIndex: ShareEvents] = [:]
  /// The entry in which a write that was brought back had first entered.
  private(set) var origins: [Origin: Revision] = [:]

  init(_ key: StateKey, part: Part?) {
    self.key = key
    self.part = part
  }

  mutating func read(
    _ journal: any Journal, from horizon: Revision, through end: Revision
  ) async throws(SwarmError) {
    var walk = JournalWalk(journal, from: try await SwarmState.past(of: journal, at: horizon), through: end)
    while let step = try await walk.next() {
      let before = walk.state.record(of: key)
      let isTouching = step.entry.stateKeys.contains(key)
      let touched = isTouching ? snapshot(of: before, step) : nil
      let applied = walk.apply(step)
      let author = KeyExplanation.Author(
        agent: step.entry.author, timestamp: applied.timestamp, revision: step.revision)
      let expiry = applied.changes.first { $0.key == key && $0.agent == .journal }
      if let expiry {
        noteDeletion(.init(agent: expiry.agent, timestamp: expiry.timestamp, revision: step.revision))
      }
      if let touched, applied.hasWritten { note(step, author, expiry == nil ? touched : .absent, walk.state) }
    }
    self.end = walk.state
  }

  /// What the entry may change, as it is before it applies.
  private struct Snapshot {
    let wasAlive: Bool
    let created: Dot?
    let parts: [(part: Part, writes: Writes)]
    let shares: [AgentIndex: Int64]

    static let absent = Snapshot(wasAlive: false, created: nil, parts: [], shares: [:])
  }

  private func snapshot(of record: KeyRecord?, _ step: JournalWalk.Step) -> Snapshot {
    guard let record, !record.isDeleted else { return .absent }
    var shares: [AgentIndex: Int64] = [:]
    if case .counter(let counter) = record.contents { shares = counter.shares }
    let touched = part.map { [$0] } ?? step.entry.parts(of: key)
    return Snapshot(
      wasAlive: true, created: record.header.created, parts: touched.map { ($0, record.writes(of: $0)) },
      shares: shares)
  }

  private mutating func note(
    _ step: JournalWalk.Step, _ author: KeyExplanation.Author, _ before: Snapshot, _ state: SwarmState
  ) {
    let after = state.record(of: key)
    let isAlive = after.map { !$0.isDeleted } ?? false
    var isRewind = false
    if case .state(.rewind(let rewind)) = step.entry.command {
      isRewind = true
      for effect in rewind.effects where effect.key == key { noteOrigins(effect, state.agents) }
    }
    if before.wasAlive, !isAlive { return noteDeletion(author) }
    guard isAlive, let after else { return }
    if !before.wasAlive { created = author }
    if before.wasAlive, before.created != after.header.created {
      noteDeletion(author)
      created = author
    }
    if case .counter(let counter) = after.contents {
      noteShares(from: before.shares, to: counter.shares, author, isRewind: isRewind)
    }
    for (part, writes) in before.parts {
      notePart(part, from: writes, to: after.writes(of: part), author, isRewind: isRewind, step, state.agents)
    }
  }

  private mutating func noteDeletion(_ author: KeyExplanation.Author) {
    deleted = author
    deletions += 1
    created = nil
    parts = [:]
    shares = [:]
  }

  private mutating func noteOrigins(_ effect: KeyRewind, _ agents: Agents) {
    for restored in effect.effect.restored {
      guard let agent = agents.number(of: restored.agent) else { continue }
      let origin = Origin(part: restored.part, agent: agent, timestamp: restored.timestamp)
      origins[origin] = min(origins[origin] ?? .max, restored.origin)
    }
  }

  private mutating func noteShares(
    from old: [AgentIndex: Int64], to new: [AgentIndex: Int64], _ author: KeyExplanation.Author, isRewind: Bool
  ) {
    for (agent, share) in new where share != old[agent] ?? 0 {
      var events = shares[agent] ?? ShareEvents()
      events.entries += 1
      events.last.append(
        .init(
          author: author, amount: share.subtractingReportingOverflow(old[agent] ?? 0).partialValue, isRewind: isRewind))
      if events.last.count > KeyExplanation.stepLimit { events.last.removeFirst() }
      shares[agent] = events
    }
  }

  private mutating func notePart(
    _ part: Part, from old: Writes, to new: Writes, _ author: KeyExplanation.Author, isRewind: Bool,
    _ step: JournalWalk.Step, _ agents: Agents
  ) {
    let gone = old.filter { !new.contains($0.dot) }
    let isRemoval = !new.contains { $0.value.entered == step.revision }
    if gone.isEmpty && !(isRemoval && !isRewind && !new.isEmpty) { return }
    var events = parts[part] ?? PartEvents()
    for (_, written) in gone {
      // A writer that puts its own last value again has not overruled anybody.
      let rule: KeyExplanation.Rule =
        isRewind ? .rewound(author) : isRemoval ? .removed(author) : .overwritten(author)
      events.lost.append(.init(source: source(of: written, part: part, agents), rule: rule))
      events.lostCount += 1
    }
    if events.lost.count > KeyExplanation.lossLimit {
      events.lost.removeFirst(events.lost.count - KeyExplanation.lossLimit)
    }
    if isRemoval, !isRewind, step.entry.removes(part, of: key) {
      for (_, written) in new { events.missed.append((author, written)) }
      if events.missed.count > KeyExplanation.lossLimit {
        events.missed.removeFirst(events.missed.count - KeyExplanation.lossLimit)
      }
    }
    parts[part] = events
  }

  func source(of written: Written, part: Part, _ agents: Agents) -> KeyExplanation.Source {
    let origin = origins[Origin(part: part, agent: written.agent, timestamp: written.timestamp)]
    return .init(
      value: written.value,
      author: .init(
        agent: agents[written.agent], timestamp: written.timestamp, revision: origin ?? written.entered),
      restoredBy: origin == nil || origin == written.entered ? nil : written.entered)
  }
}

extension SwarmState {
  fileprivate func record(of key: StateKey) -> KeyRecord? {
    state.keys.slot(of: key).map { state.keys[$0].record }
  }
}

extension Entry {
  /// The parts of a key that the entry names, each once.
  fileprivate func parts(of key: StateKey) -> [Part] {
    var named: [Part] = []
    for write in writes where write.key == key { named += write.operations.compactMap(\.part) }
    if case .state(.rewind(let rewind)) = command {
      for effect in rewind.effects where effect.key == key {
        named += effect.effect.restored.map(\.part)
        if case .parts(let removed, _) = effect.effect { named += removed.map(\.part) }
      }
    }
    if named.count < 2 { return named }
    var seen: Set<Part> = []
    return named.filter { seen.insert($0).inserted }
  }

  fileprivate func removes(_ part: Part, of key: StateKey) -> Bool {
    writes.contains { $0.key == key && $0.operations.contains { $0.part == part && !$0.creates } }
  }
}

extension StateOperation {
  /// The part that the operation is about; a counter has none.
  var part: Part? {
    switch self {
    case .increment, .share: nil
    case .add(let element), .remove(let element): .element(element)
    case .put(let field, _), .removeField(let field): .field(field)
    case .assign: .whole
    }
  }
}
