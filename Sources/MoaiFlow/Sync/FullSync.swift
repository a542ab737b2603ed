import MoaiCRDT

extension SwarmConnection {
  /// Asks the agents of this process, through the coordinator that holds their sessions.
  public func synchronize(
    _ key: StateKey, timeout: Duration, quorum: Int?, id: CommandID, through coordinator: any Coordinator,
    clock: any Clock<Duration>
  ) async throws(SwarmError) -> SyncReport {
    try await FullSync(connection: self, coordinator: coordinator, clock: clock, id: id)
      .run(key, timeout: timeout, quorum: quorum)
  }
}

/// The full sync of one key in six steps (rules §5.1, §5.2): ask everybody, collect, detect, resolve, write, tell.
///
/// Resolving is the merge of the key's lattice: every answer is written as that agent's own write at the base that the
/// agent had seen, so nothing is invented and everything has an author. It takes as long as the slowest answer, never
/// longer than the timeout.
struct FullSync: Sendable {
  let connection: any SwarmConnection
  let coordinator: any Coordinator
  let clock: any Clock<Duration>
  let id: CommandID

  func run(_ key: StateKey, timeout: Duration, quorum: Int?) async throws(SwarmError) -> SyncReport {
    let agents = await coordinator.agents()
    let needed = quorum ?? (agents.isEmpty ? 0 : agents.count / 2 + 1)
    guard needed >= 0 else { throw .invalid(field: "/quorum", "\(needed) is no number of agents") }
    let outcome = SyncOutcome()
    var gathered = GatheredAnswers(answers: [], missing: [:])
    var result: Result<Merged, SwarmError> = .failure(.closed)
    let duration = await measure {
      if !agents.isEmpty {
        gathered = await coordinator.request(
          .stateRequest(SyncRequest(id: id, key: key, timeout: timeout)), to: agents, timeout: timeout
        ) { agent, reply in
          // After success a late answer is one more write; after failure it is discarded.
          guard await outcome.succeeded(), case .state(let response) = reply else { return false }
          return (try? await write(response, of: agent, to: key)) != nil
        }
      }
      result = await merge(gathered, key: key, needed: needed)
    }
    let merged: Merged
    do {
      merged = try result.get()
    } catch {
      await outcome.settle(succeeded: false)
      throw error
    }
    var responders: [AgentID] = []
    var missing = gathered.missing
    for (agent, reply) in gathered.answers {
      if case .state = reply {
        responders.append(agent)
      } else {
        missing[agent] = .declined("it answered something else")
      }
    }
    let report = SyncReport(
      key: key, asked: agents.count, quorum: needed, responders: responders, missing: missing,
      conflicts: merged.conflicts, contributions: merged.contributions, discarded: merged.discarded,
      result: merged.reading, revision: merged.revision, duration: duration)
    guard responders.count >= needed else {
      await outcome.settle(succeeded: false)
      throw .quorumNotReached(report)
    }
    await outcome.settle(succeeded: true)
    _ = await coordinator.broadcast(.stateUpdate(key, merged.reading), excluding: [])
    return report
  }

  private struct Merged {
    var contributions: [SyncReport.Contribution] = []
    var conflicts: [SyncReport.Contribution] = []
    var discarded: [Overwritten] = []
    var reading: StateReading?
    var revision: Revision = 0
  }

  /// Steps 3 to 5. Writes nothing if too few answered.
  private func merge(_ gathered: GatheredAnswers, key: StateKey, needed: Int) async -> Result<Merged, SwarmError> {
    do throws(SwarmError) {
      var merged = Merged()
      let responses = gathered.answers.compactMap { answer in
        if case .state(let response) = answer.reply { (agent: answer.agent, response: response) } else { nil }
      }
      if responses.count >= needed {
        for (agent, response) in responses {
          if response.content == .nothing { continue }
          let written = try await write(response, of: agent, to: key)
          merged.contributions.append(written.contribution)
          merged.discarded.append(contentsOf: written.overwrote)
        }
        merged.conflicts = conflicts(in: merged.contributions, overwriting: merged.discarded)
      }
      let status = try await connection.status()
      merged.revision = status.revision
      merged.reading = try await connection.reading(of: key)
      return .success(merged)
    } catch {
      return .failure(error)
    }
  }

  /// Contributions that say different things, where more than one says something; and those that hid an unseen write.
  private func conflicts(
    in contributions: [SyncReport.Contribution], overwriting discarded: [Overwritten]
  ) -> [SyncReport.Contribution] {
    let said = Set(contributions.map(\.content))
    if said.count > 1 || !discarded.isEmpty { return contributions }
    return contributions.filter { $0.fate == .withoutBase }
  }

  private func write(
    _ response: SyncResponse, of agent: AgentID, to key: StateKey
  ) async throws(SwarmError) -> (contribution: SyncReport.Contribution, overwrote: [Overwritten]) {
    func contribution(_ fate: SyncReport.Contribution.Fate) -> SyncReport.Contribution {
      SyncReport.Contribution(agent: agent, content: response.content, fate: fate)
    }
    let current = try await connection.reading(of: key)
    let content: WriteRequest.Content
    switch response.content {
    case .nothing: return (contribution(.alreadyThere), [])
    case .operations(let operations): content = .operations(operations)
    case .value(let value): content = .value(value)
    }
    if let current {
      // Only an answer that has seen the newest change, or has no base, can be judged by its value: three agents that
      // each counted from 10 to 11 mean 13.
      let hasSeenAll = response.base.map { $0.isAtOrAfter(current) } ?? true
      if hasSeenAll, response.content == .value(current.value) { return (contribution(.alreadyThere), []) }
      if response.base == nil { return (contribution(.withoutBase), []) }
    }
    if try await isUnchanged(response, of: key, current) { return (contribution(.alreadyThere), []) }
    let request = Request(
      author: agent, via: .coordinator, id: CommandID(high: id.high, low: id.low ^ agent.stableHash),
      body: .write([WriteRequest(key, content, base: response.base)]))
    do {
      let outcome = try await connection.perform(request)
      switch outcome.result {
      case .state(let state):
        return (contribution(.merged(outcome.revision)), state.keys.flatMap(\.overwrote))
      case .refused(let refusal): return (contribution(.refused(refusal.description)), [])
      default: return (contribution(.alreadyThere), [])
      }
    } catch {
      switch error {
      case .invalid, .futureRevision, .trimmed: return (contribution(.refused(error.description)), [])
      default: throw error
      }
    }
  }

  /// Whether a register's value is the one at the answer's base: the agent changed nothing, it only fell behind. For
  /// the other types the merge itself sees that, part by part (rule §4.4).
  private func isUnchanged(
    _ response: SyncResponse, of key: StateKey, _ current: StateReading?
  ) async throws(SwarmError) -> Bool {
    guard let base = response.base, case .value(let value) = response.content, current?.type == .register else {
      return false
    }
    do {
      return try await connection.reading(of: key, at: base)?.value == value
    } catch {
      switch error {
      case .invalid, .futureRevision, .trimmed: return false
      default: throw error
      }
    }
  }

  private func measure(_ body: () async -> Void) async -> Duration {
    await clock.measure(body)
  }
}

extension RevisionReference {
  /// Whether who had seen this had seen the reading's last change.
  fileprivate func isAtOrAfter(_ reading: StateReading) -> Bool {
    switch self {
    case .revision(let revision): revision >= reading.revision
    case .cursor(let cursor): cursor.epoch == reading.cursor.epoch && cursor.revision >= reading.revision
    }
  }
}

/// Whether a full sync succeeded; late answers wait here until that is known.
private actor SyncOutcome {
  private var hasSucceeded: Bool?
  private var waiters: [CheckedContinuation<Bool, Never>] = []

  func settle(succeeded: Bool) {
    hasSucceeded = succeeded
    for waiter in waiters { waiter.resume(returning: succeeded) }
    waiters = []
  }

  func succeeded() async -> Bool {
    if let hasSucceeded { return hasSucceeded }
    return await withCheckedContinuation { waiters.append($0) }
  }
}

extension AgentID {
  fileprivate var stableHash: UInt64 { Array(name.string.utf8).stableHash }
}
