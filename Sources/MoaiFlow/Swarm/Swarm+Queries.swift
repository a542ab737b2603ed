import MoaiCRDT

/// A reader of live changes.
struct FeedSubscriber {
  let mailbox: FeedMailbox
  let filter: KeyFilter
  /// The last revision that the reader was told of.
  var known: Revision
}

extension Swarm {
  /// Keys in one page of a listing at most.
  static let pageLimit = 1_000

  public func answer(_ query: Query) async throws(SwarmError) -> Answer {
    if case .some(let error) = stopped, error != .closed { throw error }
    switch query {
    case .value(let key, let at):
      guard let at else { return .value(core.state.reading(of: key, agents: core.agents, cursor: cursor)) }
      let revision = try resolve(at)
      try requireKept(revision)
      if let now = core.state.reading(
        of: key, agents: core.agents, cursor: Cursor(epoch: epoch, revision: revision)), now.revision <= revision
      {
        return .value(now)
      }
      let past = try await state(at: revision)
      return .value(
        past.state.reading(
          of: key, agents: past.agents, cursor: Cursor(epoch: epoch, revision: past.revision)))
    case .keys(let filter, let after, let limit, let includingValues):
      guard limit > 0 else { throw .invalid(field: "/limit", "\(limit) is no limit") }
      return .keys(
        core.state.page(
          filter, after: after, limit: min(limit, Swarm.pageLimit), includingValues: includingValues,
          agents: core.agents, cursor: cursor))
    case .changes(let query): return .changes(try changes(query))
    case .history(let query): return .history(try await history(query))
    case .explanation(let query): return .explanation(try await explanation(query))
    case .replica(let replica): return .replica(replicaStatus(of: replica))
    case .replicas: return .replicas(replicaStatuses())
    case .agent(let agent): return .agent(agentStatus(of: agent))
    case .agents(let after, let limit): return .agents(try agents(after: after, limit: limit))
    case .settings: return .settings(core.settings.settings, revision: core.revision)
    case .status:
      return .status(
        SwarmStatus(
          name: name, epoch: epoch, revision: core.revision, horizon: horizon, checkpoint: checkpointRevision,
          keys: core.state.liveKeys, chain: core.chain))
    }
  }

  var cursor: Cursor { Cursor(epoch: epoch, revision: core.revision) }

  func resolve(_ reference: RevisionReference, field: String = "/at") throws(SwarmError) -> Revision {
    switch reference {
    case .cursor(let cursor) where cursor.epoch != epoch:
      throw .trimmed("\(cursor) belongs to another epoch of this swarm; read again")
    case .cursor(let cursor): return try resolve(.revision(cursor.revision), field: field)
    case .revision(let revision):
      guard revision <= core.revision else { throw .futureRevision(revision, head: core.revision) }
      guard revision >= 0 else { throw .invalid(field: field, "\(revision) is no revision") }
      return revision
    }
  }

  /// The revision behind which nothing of the past can be asked for.
  var horizon: Revision { max(core.horizon.revision, floor) }

  /// - Throws: `.trimmed` for a revision before the horizon.
  func requireKept(_ revision: Revision) throws(SwarmError) {
    guard revision >= horizon else {
      throw .trimmed("revision \(revision) lies before the horizon \(horizon); what was then is no longer kept")
    }
  }

  /// A page of changes (rule §5.3). Another epoch, and what lies before the horizon: a snapshot that replaces.
  private func changes(_ query: ChangesQuery) throws(SwarmError) -> ChangesPage {
    guard query.limit > 0 else { throw .invalid(field: "/limit", "\(query.limit) is no limit") }
    guard query.maxBytes > 0 else { throw .invalid(field: "/max_bytes", "\(query.maxBytes) is no size") }
    let head = core.revision
    var since: Revision
    var position: Revision
    var began = head
    var isSnapshot = false
    switch query.since {
    case .beginning: (since, position) = (0, 0)
    case .head: (since, position) = (head, head)
    case .after(.cursor(let cursor)) where cursor.epoch != epoch: (since, position, isSnapshot) = (0, 0, true)
    case .after(let reference):
      since = try resolve(reference)
      isSnapshot = since < horizon
      if isSnapshot { since = 0 }
      position = since
    case .page(let token) where token.epoch != epoch: (since, position, isSnapshot) = (0, 0, true)
    case .page(let token):
      since = token.since
      position = try resolve(.revision(token.position))
      isSnapshot = token.isSnapshot
      began = token.began
      guard since <= position, since <= began, began <= head else {
        throw .invalid(field: "/since", "\(token) is no page of this swarm")
      }
      // The horizon has passed the pass: what was deleted meanwhile may be forgotten, so it begins anew.
      if (since == 0 ? began : since) < horizon { (since, position, began, isSnapshot) = (0, 0, head, true) }
    }
    var page = core.state.changes(
      since: since, position: position, began: began, isSnapshot: isSnapshot, query: query, head: head, epoch: epoch,
      agents: core.agents)
    if query.withOrigins, page.next == nil { page.replicas = core.replicas.progress(since: since) }
    return page
  }

  /// The whole swarm as it was at a revision, from the newest checkpoint before it and the entries since. O(state +
  /// history from there).
  func state(at revision: Revision) async throws(SwarmError) -> SwarmState {
    try await SwarmState.past(of: journal, at: revision)
  }

  /// What a key showed at a revision that the key itself no longer remembers.
  func pastValue(of key: StateKey, at revision: Revision) async throws(SwarmError) -> PastValue {
    let past = try await state(at: revision)
    guard let slot = past.state.keys.slot(of: key) else { return .absent }
    return PastValue(past.state.keys[slot].record, changedSince: [:], past.agents)
  }
}

// MARK: - Following

extension Swarm: ChangeSource {
  public nonisolated func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    ChangeFeed(source: self, since: since, filter: filter)
  }

  package func attach(at start: ChangesStart, matching filter: KeyFilter) async throws(SwarmError) -> FeedAttachment {
    if let stopped {
      guard stopped == .closed else { throw stopped }
      let ended = FeedMailbox(capacity: 1)
      ended.end(nil)
      return FeedAttachment(batches: [], next: nil, cursor: cursor, mailbox: ended)
    }
    let page = try changes(ChangesQuery(since: start, filter: filter))
    var missed: [ChangeBatch] = []
    var known = start == .head ? core.revision : start.knownRevision
    // The last page of a pass carries its cursor, even if nothing is left for it.
    if !page.changes.isEmpty || page.isSnapshot || !page.isFirst {
      missed.append(
        ChangeBatch(
          after: start.knownRevision, cursor: page.cursor, agent: nil, timestamp: nil, changes: page.changes,
          isSnapshot: page.isSnapshot, isFirst: page.isFirst))
      known = core.revision
    }
    let place = Cursor(epoch: epoch, revision: known)
    if let next = page.next { return FeedAttachment(batches: missed, next: next, cursor: place, mailbox: nil) }
    let mailbox = FeedMailbox(capacity: options.feedCapacity)
    subscribers.append(FeedSubscriber(mailbox: mailbox, filter: filter, known: known))
    return FeedAttachment(batches: missed, next: nil, cursor: place, mailbox: mailbox)
  }

  /// How far the reader of a mailbox has come that has taken everything; nil while something waits for it.
  package func place(of mailbox: FeedMailbox) -> Cursor? { mailbox.isIdle ? cursor : nil }

  /// Wakes who waits for the entry, and hands what it changed to every reader that wants it; forgets readers that have
  /// left or fallen behind.
  func publish(_ applied: SwarmState.Applied) {
    waiters.wake(at: core.revision)
    if let event = applied.agentEvent { publish(event) }
    guard !applied.changes.isEmpty, !subscribers.isEmpty else { return }
    var hasLeavers = false
    // Of nearly all readers, and as much work as the values are long.
    let wholeWeight = Swarm.weight(of: applied.changes)
    for index in subscribers.indices {
      let filter = subscribers[index].filter
      let changes = filter == .all ? applied.changes : applied.changes.filter { filter.matches($0.key) }
      if changes.isEmpty { continue }
      let weight = filter == .all ? wholeWeight : Swarm.weight(of: changes)
      let batch = ChangeBatch(
        after: subscribers[index].known, cursor: cursor, agent: applied.author, timestamp: applied.timestamp,
        changes: changes, isSnapshot: false, isFirst: true)
      subscribers[index].known = core.revision
      if !subscribers[index].mailbox.put(batch, weight: weight) { hasLeavers = true }
    }
    if hasLeavers { subscribers.removeAll { !$0.mailbox.isOpen } }
  }

  private static func weight(of changes: [StateChange]) -> Int {
    changes.reduce(0) { $0 + 1 + $1.approximateSize / FeedMailbox.unit }
  }
}

extension ChangesStart {
  fileprivate var knownRevision: Revision {
    switch self {
    case .beginning, .head: 0
    case .after(.revision(let revision)): revision
    case .after(.cursor(let cursor)): cursor.revision
    case .page(let token): token.since
    }
  }
}
