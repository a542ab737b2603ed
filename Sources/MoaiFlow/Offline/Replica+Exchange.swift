import MoaiCRDT

/// What an exchange with a swarm did.
public struct ExchangeReport: Sendable, Hashable {
  /// Deltas that the journal took in this exchange.
  public internal(set) var sent = 0
  /// Those among them that a rule refused.
  public internal(set) var refused: [KeptDelta] = []
  /// Keys that came from the swarm, and whether they replaced everything.
  public internal(set) var received = 0
  public internal(set) var isSnapshot = false
  /// The ids under which the replica goes on, if it had to take new ones.
  public internal(set) var renumberings: [Renumbering] = []
  /// What the replica has of the swarm now.
  public internal(set) var cursor: Cursor?

  init() {}
}

extension Replica {
  /// Deltas, and bytes of them, that go to the swarm at once. Raising it saves round trips; lowering it lets others in
  /// between.
  private static let batchDeltas = 256
  private static let batchBytes = 512 * 1024
  /// How often an exchange looks again where it stands, because somebody else wrote under the replica's id.
  private static let attempts = 4
  /// How many replicas one exchange announces at most; the next one goes on.
  private static let announcements = 64

  /// Sends what the swarm lacks, then takes what this replica lacks (rule §5.6). Afterwards both are equal, but for what
  /// was written meanwhile. Costs what either side lacked.
  ///
  /// Everything is stored before it is sent. An exchange that fails in the middle leaves both sides whole; the next one
  /// goes on where it ended, and nothing is counted twice.
  @discardableResult
  public func exchange(with connection: any SwarmConnection) async throws(ReplicaError) -> ExchangeReport {
    try await beginExchange()
    defer { endExchange() }
    var report = ExchangeReport()
    // What was written meanwhile goes along: a removal could not hide what the swarm now has of earlier writes.
    for attempt in 0...Replica.attempts {
      let epoch = try await send(to: connection, &report)
      let pages = try await changes(from: connection)
      if state.unsent.isEmpty || attempt == Replica.attempts {
        try await take(pages, from: connection, sentTo: epoch, &report)
        break
      }
    }
    return report
  }

  /// Reserves a part of the way to a counter's bound, to be spent while the replica is away (rule §4.6).
  ///
  /// - Returns: what the replica may spend of it now.
  /// - Throws: `.refused` if the bound leaves less.
  @discardableResult
  public func reserve(
    _ right: CounterRight, of key: String, from connection: any SwarmConnection
  ) async throws(ReplicaError) -> CounterRight {
    try await beginExchange()
    defer { endExchange() }
    let name: StateKey
    do { name = try StateKey(key) } catch { throw .invalid(field: "/state_key", error.problem) }
    guard right.down >= 0, right.up >= 0, !right.isEmpty else {
      throw .invalid(field: "/amount", "a right is a number greater than 0")
    }
    let id = state.id
    let outcome = try await ask { () throws(SwarmError) in
      try await connection.performReplica(.reserve(id, name, right), as: agent)
    }
    if case .reserved(let total) = outcome { state.setRight(total, of: name) }
    try await flush()
    return state.rights[name] ?? CounterRight()
  }

  /// Takes a refused delta off the list, here and in the swarm.
  public func resolve(_ kept: KeptDelta, with connection: any SwarmConnection) async throws(ReplicaError) {
    do {
      try await ask { () throws(SwarmError) in
        try await connection.resolveDelta(kept.delta.first, of: kept.delta.replica, as: agent)
      }
    } catch .refused(.notKept) {
      // It was resolved elsewhere.
    }
    state.forget(kept)
    try await flush()
  }

  /// Forgets the writes of which nobody knows whether the journal has them, once somebody has looked.
  public func resolveDoubtful() async throws(ReplicaError) {
    state.forgetDoubtful()
    try await flush()
  }

  // MARK: Both directions

  /// Returns the epoch of the journal that has everything now.
  private func send(
    to connection: any SwarmConnection, _ report: inout ExchangeReport
  ) async throws(ReplicaError) -> Epoch {
    var closed: Set<ReplicaID> = []
    for attempt in 0...Replica.attempts {
      for old in state.formerIDs.keys.sorted() where closed.insert(old).inserted {
        do {
          try await ask { () throws(SwarmError) in try await connection.closeReplica(old, as: agent) }
        } catch .refused(.notYours) {
          // The operator closed an id that the journal had never heard of.
        }
      }
      let id = state.id
      let status = try await ask { () throws(SwarmError) in try await connection.status(of: id) }
      // Asked behind it, so that it names no entry before what the journal has of this replica.
      let place = try await ask { () throws(SwarmError) in try await connection.status() }
      if let status, status.owner != agent, !status.isOnlyAnnounced, !status.isClosed {
        throw .refused(.notYours(id, owner: status.owner))
      }
      if let status, status.owner == agent { report.refused += state.learn(status.kept) }
      switch state.standing(status, in: place.epoch) {
      case .follows(let accepted): state.confirm(upTo: accepted, at: place.revision)
      case .copied:
        guard attempt < Replica.attempts else { throw .refused(.forked(id, first: state.next)) }
        try await ask { () throws(SwarmError) in try await connection.closeReplica(id, as: agent) }
        continue
      case .renumber(let reason, let accepted, let doubtful):
        guard attempt < Replica.attempts else { throw .refused(.forked(id, first: accepted + 1)) }
        let new = state.successor(after: accepted, doubtful: doubtful) ?? sources.newID()
        state.renumber(as: new, after: accepted, doubtful: doubtful)
        report.renumberings.append(Renumbering(reason: reason, from: id, to: new))
        try await flush()
        continue
      }
      try await flush()
      guard let refusal = try await sendAll(to: connection, &report) else { return place.epoch }
      // Somebody else has sent under this id, or it was closed, just now: look again.
      guard case .replica(let why) = refusal else { throw .swarm(.refused(refusal)) }
      if case .tooManyKept = why { throw .refused(why) }
      if attempt == Replica.attempts { throw .refused(why) }
    }
    throw .swarm(.busy)
  }

  /// Sends until there is nothing left, or something is not taken.
  private func sendAll(
    to connection: any SwarmConnection, _ report: inout ExchangeReport
  ) async throws(ReplicaError) -> Refusal? {
    while true {
      let batch = state.batch(upTo: storedUpTo, deltas: Replica.batchDeltas, bytes: Replica.batchBytes)
      if batch.isEmpty { return nil }
      let outcomes = try await ask { () throws(SwarmError) in
        try await connection.send(batch, as: agent, via: nil)
      }
      guard !outcomes.isEmpty else { throw .swarm(.busy) }
      let refusal = state.take(outcomes, to: batch)
      for (delta, outcome) in zip(batch, outcomes) {
        guard case .replica(let result) = outcome.result else { continue }
        report.sent += 1
        if case .kept(let why) = result {
          report.refused.append(KeptDelta(delta: delta, revision: outcome.revision, refusal: why))
        }
      }
      try await flush()
      if let refusal { return refusal }
    }
  }

  /// What changed since the place that the mirror is at.
  private func changes(from connection: any SwarmConnection) async throws(ReplicaError) -> [ChangesPage] {
    for _ in 0...Replica.attempts {
      let start = state.mirror.cursor
      let pages = try await changes(since: start, from: connection)
      // Another replica may have brought this one further meanwhile; what came is not for where it is now.
      if state.mirror.cursor == start { return pages }
    }
    throw .swarm(.busy)
  }

  private func take(
    _ pages: [ChangesPage], from connection: any SwarmConnection, sentTo epoch: Epoch, _ report: inout ExchangeReport
  ) async throws(ReplicaError) {
    do { try state.take(pages, now: sources.now()) } catch { throw .swarm(error) }
    for (met, last) in state.unheardOf.prefix(Replica.announcements) {
      _ = try await ask { () throws(SwarmError) in
        try await connection.performReplica(.announce(met, upTo: last), as: agent)
      }
    }
    report.received = pages.reduce(0) { $0 + $1.changes.count }
    report.isSnapshot = pages.last?.isSnapshot ?? false
    report.cursor = state.mirror.cursor
    let id = state.id
    let settings = try await ask { () throws(SwarmError) in try await connection.settings().settings }
    let place = try await ask { () throws(SwarmError) in try await connection.status() }
    let status = try await ask { () throws(SwarmError) in try await connection.status(of: id) }
    // Revisions of another epoch, if the swarm was restored just now, say nothing about what was sent.
    let covered = place.epoch == epoch && state.epoch == epoch ? place.checkpoint : 0
    state.take(status, settings: settings, coveredUpTo: covered)
    try await flush()
  }

  /// All pages of a pass.
  private func changes(
    since cursor: Cursor?, from connection: any SwarmConnection
  ) async throws(ReplicaError) -> [ChangesPage] {
    var pages: [ChangesPage] = []
    var query = ChangesQuery(
      since: cursor.map { .after(.cursor($0)) } ?? .beginning, limit: 10_000, maxBytes: 4 << 20, withOrigins: true)
    repeat {
      let asked = query
      let page = try await ask { () throws(SwarmError) in
        guard case .changes(let page) = try await connection.answer(.changes(asked)) else { connection.mismatch() }
        return page
      }
      if page.isFirst { pages = [] }
      pages.append(page)
      if let next = page.next { query.since = .page(next) }
    } while pages.last?.next != nil
    return pages
  }

  private func ask<Result>(_ body: () async throws(SwarmError) -> Result) async throws(ReplicaError) -> Result {
    do {
      return try await body()
    } catch {
      if case .refused(.replica(let refusal)) = error { throw .refused(refusal) }
      throw .swarm(error)
    }
  }
}
