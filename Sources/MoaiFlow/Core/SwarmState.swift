package import MoaiCRDT

/// A whole swarm at one revision: everything that its journal says, and nothing else.
///
/// A pure value: no clock, no I/O, no randomness. The same entries give the same state, outcomes and chain hash on
/// every hub and at every replay.
package struct SwarmState: Sendable {
  package let epoch: Epoch
  /// The last entry applied.
  package private(set) var revision: Revision = 0
  /// Journal time in milliseconds since 1970: the greatest append time so far. It never goes back.
  package private(set) var time: Int64 = 0
  /// A hash over all entries so far, their outcomes and what they changed. Two hubs, or a hub and a replay, that
  /// differ anywhere differ here. It detects faults; it is no defence against a forger.
  package private(set) var chain: UInt64
  /// The greatest timestamp of a write so far.
  private(set) var lastTimestamp = Timestamp(milliseconds: 0)

  var agents = Agents()
  var state = StateTable()
  var settings = SettingsTable()
  var remembered = RememberedCommands()
  var deadlines = Deadlines()
  var replicas = ReplicaTable()
  var roster = AgentTable()
  private(set) var horizon = Horizon()
  private var buffers = TransactionBuffers()
  /// What the last entry changed, as the chain hash takes it.
  private var changesDigest: UInt64 = 0

  package init(epoch: Epoch) {
    self.epoch = epoch
    chain = epoch.rawValue
  }

  /// What applying one entry did.
  package struct Applied: Sendable {
    package let outcome: Outcome
    package let author: AgentID
    package let timestamp: Timestamp
    /// The keys that changed visibly; empty for a refusal or a repeat.
    package let changes: [StateChange]
    /// What it did to an agent; nil: nothing.
    package let agentEvent: AgentEvent?
  }

  /// Applies the next entry: fires what is due, then decides, then remembers (architecture, "The journal").
  ///
  /// `payloadHash` is the hash of the entry's bytes as the journal keeps them.
  package mutating func apply(
    _ entry: Entry, revision: Revision, appendedAt: Int64, payloadHash: UInt64
  ) -> Applied {
    precondition(revision == self.revision + 1, "entries apply in order, without gaps")
    self.revision = revision
    time = max(time, appendedAt)
    let expired = fireDeadlines()
    let author = agents.index(of: entry.author)
    let timestamp = nextTimestamp
    let key = RememberedCommands.Key(agent: author, id: entry.id)
    let applied: Applied
    if let first = remembered[key] {
      applied = Applied(
        outcome: repeatOf(first, hash: entry.requestHash), author: entry.author, timestamp: timestamp,
        changes: expired.changes, agentEvent: nil)
    } else {
      var event: AgentEvent?
      let (result, changes) = execute(
        entry, author: author, timestamp: timestamp, expired: expired.slots, event: &event)
      let outcome = Outcome(revision: revision, result: result)
      // What was not taken of a replica may be taken later: a delta that came before the one before it.
      if !result.isReplicaRefusal {
        remembered.remember(
          .init(requestHash: entry.requestHash, outcome: outcome, time: time), as: key, deadlines: &deadlines)
      }
      applied = Applied(
        outcome: outcome, author: entry.author, timestamp: timestamp,
        changes: expired.changes.isEmpty ? changes : expired.changes + changes, agentEvent: event)
    }
    extendChain(payloadHash: payloadHash, appendedAt: appendedAt, applied: applied)
    return applied
  }

  /// The outcome that a command id has already, if it is remembered.
  package func outcome(of id: CommandID, by agent: AgentID, requestHash: UInt64) -> Outcome? {
    guard let author = agents.number(of: agent) else { return nil }
    return remembered[.init(agent: author, id: id)].map { repeatOf($0, hash: requestHash) }
  }

  private func repeatOf(_ first: RememberedCommands.Remembered, hash: UInt64) -> Outcome {
    guard first.requestHash == hash else { return Outcome(revision: 0, result: .refused(.idempotencyMismatch)) }
    var outcome = first.outcome
    outcome.isRepeat = true
    return outcome
  }

  /// Does what is due, and returns the keys that went by it.
  private mutating func fireDeadlines() -> (slots: Set<Int>, changes: [StateChange]) {
    var idle: [Int] = []
    while let due = deadlines.popDue(at: time) {
      switch due {
      case .forgetCommands(let agent): remembered.expire(agent, at: time, deadlines: &deadlines)
      case .deleteIdleKey(let slot): if isIdle(slot) { idle.append(slot) }
      case .closeReplica(let slot): closeIfIdle(slot)
      }
    }
    return idle.isEmpty ? ([], []) : (Set(idle), deleteIdle(idle))
  }

  private mutating func execute(
    _ entry: Entry, author: AgentIndex, timestamp: Timestamp, expired: Set<Int>, event: inout AgentEvent?
  ) -> (Outcome.Result, [StateChange]) {
    if case .state(.rewind(let rewind)) = entry.command {
      for agent in rewind.agents { _ = agents.index(of: agent) }
    }
    var transaction = Transaction(
      epoch: epoch, revision: revision, timestamp: timestamp, author: author, authorName: entry.author,
      horizon: horizon.revision, offline: entry.command.offline, reusing: takeBuffers())
    transaction.expired = expired
    defer { buffers = transaction.releaseBuffers() }
    do {
      switch entry.command {
      case .state(.write(let writes)):
        let written = try state.apply(writes, in: &transaction, settings: settings.settings, agents: agents)
        let changes = state.commit(&transaction, agents: agents)
        lastTimestamp = timestamp
        digest(transaction)
        return (.state(state.outcome(of: writes, applied: written, at: revision, expired: expired)), changes)
      case .state(.rewind(let rewind)):
        try state.apply(rewind, in: &transaction, settings: settings.settings, agents: agents)
        let changes = state.commit(&transaction, agents: agents)
        lastTimestamp = timestamp
        digest(transaction)
        return (.state(state.outcome(of: rewind, at: revision)), changes)
      case .settings(let command):
        try settings.apply(command, in: &transaction)
        scheduleIdleKeys()
        scheduleReplicas()
        return (.settings, [])
      case .replica(let command):
        let (outcome, changes) = try apply(command, by: entry, author: author, in: &transaction)
        if !changes.isEmpty { digest(transaction) }
        return (.replica(outcome), changes)
      case .agent(let command):
        let outcome: AgentOutcome
        (outcome, event) = try roster.apply(command, at: revision, time)
        return (.agent(outcome), [])
      case .journal(let command):
        try apply(command)
        return (.journal, [])
      }
    } catch let refusal as StateRefusal {
      rollBack(transaction)
      return (.refused(.state(refusal)), [])
    } catch let refusal as SettingsRefusal {
      rollBack(transaction)
      return (.refused(.settings(refusal)), [])
    } catch let refusal as JournalRefusal {
      return (.refused(.journal(refusal)), [])
    } catch let refusal as ReplicaRefusal {
      return (.refused(.replica(refusal)), [])
    } catch let refusal as AgentRefusal {
      return (.refused(.agent(refusal)), [])
    } catch {
      preconditionFailure("every refusal has its case: \(error)")
    }
  }

  private mutating func apply(_ command: JournalCommand) throws(JournalRefusal) {
    switch command {
    case .tick, .skip: break
    case .trim(let to): try horizon.move(to: to, by: revision)
    }
  }

  /// The timestamp of a write of this entry (rule §1.6).
  var nextTimestamp: Timestamp { max(Timestamp(milliseconds: time), lastTimestamp.successor) }

  /// Notes what the entry changed for the chain hash, and until when the keys it changed are kept.
  mutating func digest(_ transaction: Transaction) {
    var digest = StableHash(seed: changesDigest)
    digest.combine(transaction.digest.finalize())
    changesDigest = digest.finalize()
    if settings.deletesIdleKeys { scheduleIdleKeys(transaction.touchedKeys) }
  }

  mutating func noteTimestamp(_ timestamp: Timestamp) {
    lastTimestamp = max(lastTimestamp, timestamp)
  }

  mutating func rollBack(_ transaction: borrowing Transaction) {
    for step in transaction.inverses.reversed() { state.undo(step) }
    if let previous = transaction.settingsBefore { settings.undo(previous) }
  }

  private mutating func takeBuffers() -> TransactionBuffers {
    var taken = TransactionBuffers()
    swap(&taken, &buffers)
    return taken
  }

  private mutating func extendChain(payloadHash: UInt64, appendedAt: Int64, applied: Applied) {
    var hash = StableHash(seed: chain)
    hash.combine(UInt64(revision))
    hash.combine(UInt64(bitPattern: appendedAt))
    hash.combine(payloadHash)
    applied.outcome.combine(into: &hash)
    hash.combine(changesDigest)
    changesDigest = 0
    chain = hash.finalize()
  }
}

// MARK: - Loading

extension SwarmState {
  mutating func load(
    _ commands: [(key: RememberedCommands.Key, remembered: RememberedCommands.Remembered)], areOutdated: Bool
  ) -> Bool {
    remembered.load(commands, areOutdated: areOutdated, deadlines: &deadlines)
  }

  /// Takes over what stands at the head of a checkpoint, after its records were loaded.
  mutating func finishLoading(
    revision: Revision, time: Int64, chain: UInt64, lastTimestamp: Timestamp, horizon: Horizon
  ) {
    self.revision = revision
    self.horizon = horizon
    self.time = time
    self.chain = chain
    self.lastTimestamp = lastTimestamp
    state.keys.finishLoading()
    replicas.replicas.finishLoading()
    roster.rows.finishLoading()
    scheduleIdleKeys()
    scheduleReplicas()
  }
}
