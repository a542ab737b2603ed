/// A command on its way into the journal, with its caller.
struct PendingCommand {
  let entry: Entry
  let payload: [UInt8]
  let caller: Caller

  init(_ entry: Entry, caller: Caller) {
    self.entry = entry
    payload = entry.encoded()
    self.caller = caller
  }

  /// Who waits for the outcome.
  enum Caller {
    case one(CheckedContinuation<Result<Outcome, SwarmError>, Never>)
    case batch(BatchCaller, index: Int)
    /// What it comes to is seen from what the entry does.
    case nobody

    func resume(returning result: Result<Outcome, SwarmError>) {
      switch self {
      case .one(let continuation): continuation.resume(returning: result)
      case .batch(let batch, let index): batch.take(result, at: index)
      case .nobody: break
      }
    }
  }
}

/// Waits for the outcomes of several commands. Lives inside of the swarm's actor.
final class BatchCaller {
  typealias Results = [Result<Outcome, SwarmError>]

  private var results: [Result<Outcome, SwarmError>?]
  private var missing: Int
  private let continuation: CheckedContinuation<Results, Never>

  /// - Precondition: `count` > 0.
  init(count: Int, _ continuation: CheckedContinuation<Results, Never>) {
    results = Array(repeating: nil, count: count)
    missing = count
    self.continuation = continuation
  }

  func take(_ result: Result<Outcome, SwarmError>, at index: Int) {
    results[index] = result
    missing -= 1
    if missing == 0 { continuation.resume(returning: results.compactMap { $0 }) }
  }
}

extension Swarm: SwarmConnection {
  public func perform(_ request: Request) async throws(SwarmError) -> Outcome {
    if let stopped { throw stopped }
    hear(request.author)
    let hash = request.hash()
    let id = request.id ?? options.makeCommandID()
    if request.id != nil, let first = core.outcome(of: id, by: request.author, requestHash: hash) { return first }
    let command = try await plan(request)
    if let hopeless = hopelessness(of: command) { return Outcome(revision: 0, result: .refused(hopeless)) }
    let entry = Entry(author: request.author, via: request.via, id: id, requestHash: hash, command: command)
    return try await submit(entry).get()
  }

  public func send(
    _ deltas: [ReplicaDelta], as author: AgentID, via: AgentID? = nil
  ) async throws(SwarmError) -> [Outcome] {
    var entries: [Entry] = []
    for delta in deltas {
      try check(delta)
      let request = Request(author: author, via: via, id: delta.commandID, body: .replica(.delta(delta)))
      entries.append(
        Entry(
          author: author, via: via, id: delta.commandID, requestHash: request.hash(), command: .replica(.delta(delta))))
    }
    guard !entries.isEmpty else { return [] }
    if let stopped { throw stopped }
    hear(author)
    let results = await withCheckedContinuation { continuation in
      let batch = BatchCaller(count: entries.count, continuation)
      for (index, entry) in entries.enumerated() { accept(entry, .batch(batch, index: index)) }
    }
    var outcomes: [Outcome] = []
    for result in results {
      // What was stored before an error stays told; the error is for the next attempt.
      guard case .success(let outcome) = result else { break }
      outcomes.append(outcome)
    }
    if outcomes.isEmpty, case .failure(let error)? = results.first { throw error }
    return outcomes
  }

  func submit(_ entry: Entry) async -> Result<Outcome, SwarmError> {
    if let stopped { return .failure(stopped) }
    return await enqueue(entry)
  }

  /// Hands an entry to the writer loop, also while the swarm is being closed.
  func enqueue(_ entry: Entry) async -> Result<Outcome, SwarmError> {
    await withCheckedContinuation { accept(entry, .one($0)) }
  }

  /// Puts a command into the mailbox, or answers at once why not.
  func accept(_ entry: Entry, _ caller: PendingCommand.Caller) {
    let command = PendingCommand(entry, caller: caller)
    let bytes = command.payload.count
    guard bytes <= options.pendingBytes else {
      return caller.resume(
        returning: .failure(.invalid(field: "", "the command has \(bytes) bytes, at most \(options.pendingBytes)")))
    }
    guard pending.count < options.pendingEntries, pendingBytes + bytes <= options.pendingBytes else {
      return caller.resume(returning: .failure(.busy))
    }
    pending.append(command)
    pendingBytes += bytes
    if !isWriting {
      isWriting = true
      Task { await self.writePending() }
    }
  }

  /// Turns the request into the form that applies without history; reads the journal if a base is older than what the
  /// key remembers.
  private func plan(_ request: Request) async throws(SwarmError) -> Command {
    switch request.body {
    case .settings(let settings): return .settings(.replace(settings))
    case .replica(let command):
      switch command {
      case .delta(let delta): try check(delta)
      case .announce(_, let last): try check(announced: last)
      case .reserve, .close, .resolve: break
      }
      return .replica(command)
    case .agent(let command):
      switch command {
      case .register(_, let change): try change.check()
      case .unregister: break
      // Only who watches the agents says these, and not by a request.
      case .fail, .recover: throw .denied("health is declared by the hub, from silence and signs of life")
      }
      return .agent(command)
    case .write(let writes):
      guard !writes.isEmpty else { throw .invalid(field: "/writes", "no writes") }
      guard writes.count <= StatePlanner.keyLimit else {
        throw .invalid(field: "/writes", "\(writes.count) writes, at most \(StatePlanner.keyLimit) in one entry")
      }
      var planned: [KeyWrite] = []
      planned.reserveCapacity(writes.count)
      var operations = 0
      for (index, write) in writes.enumerated() {
        let field = writes.count == 1 ? "" : "/writes/\(index)"
        let keyWrite = try await plan(write, field: field)
        operations += keyWrite.operations.count
        guard operations <= StatePlanner.operationLimit else {
          throw .invalid(field: field, "more than \(StatePlanner.operationLimit) operations in one entry")
        }
        planned.append(keyWrite)
      }
      return .state(.write(planned))
    }
  }

  private func plan(_ write: WriteRequest, field: String) async throws(SwarmError) -> KeyWrite {
    switch try planner.plan(write, field: field) {
    case .ready(let keyWrite): return keyWrite
    case .needsPast(let base):
      let past = try await pastValue(of: write.key, at: base)
      guard case .ready(let keyWrite) = try planner.plan(write, field: field, past: past) else {
        preconditionFailure("a plan with its past at hand is ready")
      }
      return keyWrite
    }
  }

  private var planner: StatePlanner {
    StatePlanner(
      state: core.state, agents: core.agents, settings: core.settings.settings, epoch: epoch, head: core.revision,
      horizon: horizon)
  }

  /// A refusal that can never become acceptance again: a condition on a revision that has passed, a replica that was
  /// closed. It needs no entry.
  func hopelessness(of command: Command) -> Refusal? {
    if case .replica(let command) = command { return core.replicas.hopelessness(of: command).map { .replica($0) } }
    guard case .state(.write(let writes)) = command else { return nil }
    for write in writes {
      guard let condition = write.condition, condition > 0 else { continue }
      let slot = core.state.keys.slot(of: write.key)
      let row = slot.map { core.state.keys[$0] }
      guard let row, row.revision > condition else { continue }
      return .state(.conditionFailed(write.key, current: row.record.isDeleted ? 0 : row.revision))
    }
    return nil
  }
}

// MARK: - The writer loop

extension Swarm {
  private func writePending() async {
    while !pending.isEmpty {
      let batch = takeBatch()
      do throws(JournalError) {
        let appended = try await journal.append(batch.map(\.payload))
        try await finish(batch, appended)
      } catch {
        await settle(batch, after: error)
      }
      saveCheckpointIfDue()
    }
    isWriting = false
    for waiter in closing { waiter.resume() }
    closing = []
  }

  private func takeBatch() -> [PendingCommand] {
    var count = 0
    var bytes = 0
    while count < pending.count, count < options.batchEntries {
      bytes += pending[count].payload.count
      if bytes > options.batchBytes, count > 0 { break }
      count += 1
    }
    let batch = Array(pending[..<count])
    pending.removeFirst(count)
    pendingBytes -= batch.reduce(0) { $0 + $1.payload.count }
    return batch
  }

  /// Applies what the engine took of a batch and answers its callers; the rest goes to the head of the next batch.
  private func finish(_ batch: [PendingCommand], _ appended: Appended) async throws(JournalError) {
    if appended.firstRevision > core.revision + 1 {
      try await applyForeignEntries(before: appended.firstRevision)
    }
    guard appended.firstRevision == core.revision + 1, 1...batch.count ~= appended.count else {
      throw .corrupt(
        revision: core.revision + 1,
        "the engine stored \(appended.count) of \(batch.count) entries from revision \(appended.firstRevision) on")
    }
    for (index, command) in batch.prefix(appended.count).enumerated() {
      let applied = core.apply(
        command.entry, revision: appended.firstRevision + Revision(index), appendedAt: appended.appendedAt,
        payloadHash: command.payload.stableHash)
      bytesSinceCheckpoint += command.payload.count
      publish(applied)
      command.caller.resume(returning: .success(applied.outcome))
    }
    let rest = batch.dropFirst(appended.count)
    pending.insert(contentsOf: rest, at: 0)
    pendingBytes += rest.reduce(0) { $0 + $1.payload.count }
  }

  /// Applies what others appended before our batch. Ours is in the journal, whatever goes wrong here.
  private func applyForeignEntries(before revision: Revision) async throws(JournalError) {
    while core.revision + 1 < revision {
      let entries: [JournalEntry]
      do {
        entries = try await journal.read(
          after: core.revision, entryLimit: Int(min(10_000, revision - 1 - core.revision)), byteLimit: 16 << 20)
      } catch .corrupt(let revision, let how) {
        throw .corrupt(revision: revision, how)
      } catch {
        throw .uncertain("\(error)")
      }
      guard !entries.isEmpty else {
        throw .corrupt(revision: core.revision + 1, "the entry is missing")
      }
      for entry in entries { try applyStored(entry) }
    }
  }

  private func applyStored(_ entry: JournalEntry) throws(JournalError) {
    do {
      let applied = try core.apply(entry)
      bytesSinceCheckpoint += entry.payload.count
      publish(applied)
    } catch {
      throw .corrupt(revision: entry.revision, "\(error)")
    }
  }

  /// Answers the callers of a batch that the engine did not take.
  private func settle(_ batch: [PendingCommand], after error: JournalError) async {
    switch error {
    case .uncertain(let what): await settleByReading(batch, what)
    case .corrupt, .damaged, .closed:
      let reason = SwarmError(error)
      stop(reason)
      for command in batch { command.caller.resume(returning: .failure(reason)) }
    default:
      for command in batch { command.caller.resume(returning: .failure(.engine(error))) }
    }
  }

  /// After an append of unknown outcome the journal itself tells which entries are in it.
  private func settleByReading(_ batch: [PendingCommand], _ what: String) async {
    var waiting = batch
    do throws(JournalError) {
      while true {
        let entries = try await journal.read(after: core.revision, entryLimit: 10_000, byteLimit: 16 << 20)
        if entries.isEmpty { break }
        for entry in entries {
          let applied: SwarmState.Applied
          do { applied = try core.apply(entry) } catch { throw .corrupt(revision: entry.revision, "\(error)") }
          publish(applied)
          if let index = waiting.firstIndex(where: { $0.payload == entry.payload }) {
            waiting.remove(at: index).caller.resume(returning: .success(applied.outcome))
          }
        }
      }
      for command in waiting { command.caller.resume(returning: .failure(.engine(.failed(what)))) }
    } catch {
      let unknown = SwarmError.outcomeUnknown(what)
      if case .corrupt = error { stop(SwarmError(error)) } else { stop(unknown) }
      for command in waiting { command.caller.resume(returning: .failure(unknown)) }
    }
  }
}
