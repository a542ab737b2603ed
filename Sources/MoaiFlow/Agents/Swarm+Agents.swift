import MoaiCRDT

/// What somebody who watches a swarm's agents is told.
public enum AgentNews: Sendable, Hashable {
  /// What entries did, in their order, up to a cursor from which a watcher can go on.
  case event(AgentEvent, Cursor)
  /// What has become of the health of some, as this process sees it.
  case health([HealthReport])
}

typealias AgentMailbox = Mailbox<AgentNews>

/// Somebody who is told the news about agents, at once and without waiting.
package struct AgentWatcher: Sendable {
  /// Returns whether he still wants to know.
  package let take: @Sendable (AgentNews) -> Bool
  /// Nothing comes any more.
  package let end: @Sendable (SwarmError?) -> Void

  package init(take: @escaping @Sendable (AgentNews) -> Bool, end: @escaping @Sendable (SwarmError?) -> Void = { _ in })
  {
    self.take = take
    self.end = end
  }
}

extension AgentRecord {
  /// What was last done to the agent, by the entry at a revision.
  fileprivate func event(of agent: AgentID, at revision: Revision) -> AgentEvent {
    let kind: AgentEvent.Kind =
      if !isRegistered {
        .unregistered
      } else if failure != nil {
        .failed
      } else {
        incarnation == revision ? .registered : .recovered
      }
    return AgentEvent(kind: kind, agent: agent, incarnation: incarnation)
  }
}

extension Swarm {
  // MARK: Signs of life

  /// Takes a heartbeat; returns how the agent is, after its recovery is applied if it had been declared failed.
  ///
  /// - Throws: `.refused(.agent(.unknown))`; `.invalid` for a negative duration or a value that is too large.
  public func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    if let stopped { throw stopped }
    try check(heartbeat)
    guard let record = core.roster[agent] else { throw .refused(.agent(.unknown(agent))) }
    note(agent, heartbeat, at: options.monotonicMilliseconds())
    if record.failure != nil { _ = try await submit(recovery(of: agent, record)).get() }
    guard let status = agentStatus(of: agent) else { throw .refused(.agent(.unknown(agent))) }
    return status
  }

  private func check(_ heartbeat: Heartbeat) throws(SwarmError) {
    if let busy = heartbeat.busyMilliseconds, busy < 0 {
      throw .invalid(field: "/busy_for_ms", "\(busy) is negative")
    }
    for (field, value) in [("/progress", heartbeat.progress), ("/status", heartbeat.status)] {
      guard let value else { continue }
      do { try ValueLimits(encodedBytes: Swarm.heartbeatBytes).check(value) } catch {
        throw .invalid(field: field, "\(error)")
      }
    }
  }

  /// Bytes of canonical JSON of what a heartbeat says. Raising it costs memory for each agent.
  private static let heartbeatBytes = 1_024

  /// Notes that an agent lives: it has asked for something. If it had been declared failed, the entry that recovers it goes
  /// before whatever it asks for.
  package func hear(_ agent: AgentID) {
    guard core.roster.count > 0 else { return }
    let now = options.monotonicMilliseconds()
    note(agent, nil, at: now)
    recover(agent, at: now)
  }

  private func note(_ agent: AgentID, _ heartbeat: Heartbeat?, at now: Int64) {
    if let report = health.hear(agent, heartbeat, at: now) { tell(.health([report])) }
  }

  private func recover(_ agent: AgentID, at now: Int64) {
    guard stopped == nil, let record = core.roster[agent], record.failure != nil else { return }
    // What it asks at the same time is behind the same entry.
    if let begun = recovering[agent], now - begun < HealthTracker.retry { return }
    recovering[agent] = now
    accept(recovery(of: agent, record), .nobody)
  }

  private func recovery(of agent: AgentID, _ record: AgentRecord) -> Entry {
    Entry(
      author: .journal, id: options.makeCommandID(), requestHash: 0,
      command: .agent(.recover(agent, incarnation: record.incarnation)))
  }

  // MARK: Watching

  /// Looks at whoever may have been silent for too long, and declares those failed that have been. Who looks, and how often,
  /// does not matter, as long as it is more often than ``SwarmOptions/pauseLimit``.
  ///
  /// - Parameter now: milliseconds since 1970.
  package func superviseAgents(now: Int64) {
    guard stopped == nil else { return }
    let (reports, suspects) = health.advance(to: options.monotonicMilliseconds())
    if !reports.isEmpty { tell(.health(reports)) }
    for suspect in suspects {
      let command = AgentCommand.fail(
        suspect.agent, incarnation: suspect.incarnation, lastSign: suspect.silence.map { now - $0 })
      accept(
        Entry(author: .journal, id: options.makeCommandID(), requestHash: 0, command: .agent(command)), .nobody)
    }
  }

  /// Watches whoever is registered when the swarm opens: silence counts from now on (rule §7.2).
  func admitAgents() {
    let now = options.monotonicMilliseconds()
    for slot in core.roster.rows.rows.indices where core.roster.rows[slot].record.isRegistered {
      admit(core.roster.rows.id(of: slot), core.roster.rows[slot].record, at: now)
    }
  }

  private func admit(_ agent: AgentID, _ record: AgentRecord, at now: Int64) {
    health.admit(
      agent, incarnation: record.incarnation, interval: record.profile.heartbeatInterval,
      isFailed: record.failure != nil, at: now)
  }

  /// Notes what an entry did to an agent, and tells whoever watches.
  func publish(_ event: AgentEvent) {
    let now = options.monotonicMilliseconds()
    recovering[event.agent] = nil
    tell(.event(event, cursor))
    switch event.kind {
    case .registered:
      guard let record = core.roster[event.agent] else { return }
      admit(event.agent, record, at: now)
      _ = health.hear(event.agent, at: now)
    case .unregistered: health.dismiss(event.agent)
    case .failed, .recovered:
      let report = health.declare(
        event.agent, incarnation: event.incarnation, isFailed: event.kind == .failed, at: now)
      if let report { tell(.health([report])) }
      // It was heard while the entry was on its way.
      if event.kind == .failed, health.isSpeaking(event.agent, at: now) { recover(event.agent, at: now) }
    }
  }

  /// A mailbox that gets the news about agents from now on; nil: the swarm is closed.
  func watchAgents() -> AgentMailbox? {
    let mailbox = AgentMailbox(capacity: options.feedCapacity)
    let missed = watchAgents(AgentWatcher(take: { mailbox.put($0) }, end: { mailbox.end($0) }))
    return missed == nil ? nil : mailbox
  }

  /// Lets somebody watch from now on; returns what he has missed since a cursor, one event for each agent at most: what was
  /// last done to it. Of another epoch he has missed everything.
  ///
  /// - Returns: nil if the swarm is closed.
  package func watchAgents(_ watcher: AgentWatcher, since: Cursor? = nil) -> [(AgentEvent, Cursor)]? {
    guard stopped == nil else { return nil }
    agentWatchers.append(watcher)
    guard let since else { return [] }
    var missed: [(AgentEvent, Cursor)] = []
    core.roster.rows.forEachChanged(after: since.epoch == epoch ? since.revision : 0) { slot in
      let row = core.roster.rows[slot]
      missed.append(
        (
          row.record.event(of: core.roster.rows.id(of: slot), at: row.revision),
          Cursor(epoch: epoch, revision: row.revision)
        ))
      return true
    }
    return missed
  }

  private func tell(_ news: AgentNews) {
    guard !agentWatchers.isEmpty else { return }
    agentWatchers.removeAll { !$0.take(news) }
  }

  // MARK: Reading

  func agentStatus(of agent: AgentID) -> AgentStatus? {
    guard let slot = core.roster.rows.slot(of: agent) else { return nil }
    return agentStatus(in: slot)
  }

  func agents(after: AgentID?, limit: Int) throws(SwarmError) -> AgentPage {
    guard limit > 0 else { throw .invalid(field: "/limit", "\(limit) is no limit") }
    let (slots, next) = core.roster.page(after: after, limit: min(limit, Swarm.pageLimit))
    return AgentPage(agents: slots.compactMap { agentStatus(in: $0) }, next: next, revision: core.revision)
  }

  private func agentStatus(in slot: Int) -> AgentStatus? {
    let row = core.roster.rows[slot]
    let agent = core.roster.rows.id(of: slot)
    guard row.record.isRegistered,
      let standing = health.standing(of: agent, at: options.monotonicMilliseconds())
    else { return nil }
    return AgentStatus(
      agent: agent, incarnation: row.record.incarnation, revision: row.revision, profile: row.record.profile,
      registeredAt: row.record.registeredAt, failure: row.record.failure, standing: standing,
      lastSeen: standing.silence.map { options.wallMilliseconds() - $0 } ?? row.record.failure?.lastSign)
  }
}
