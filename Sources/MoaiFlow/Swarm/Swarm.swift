/// A swarm embedded in this process: the core behind one writer loop, on one journal.
///
/// Commands wait in a mailbox; the loop takes all that wait, appends them as one batch, applies them in order and
/// answers their callers. So many writers share one commit, and nobody is answered before his entry is durable and
/// applied. Reads never wait for writes.
public actor Swarm {
  public nonisolated let name: SwarmName
  public nonisolated let epoch: Epoch
  /// The agents of this process that answer requests, for the full sync.
  public nonisolated let coordinator: SwarmCoordinator
  /// The memory entries of this process that are not in the journal.
  public nonisolated let volatileMemory: VolatileMemory

  let journal: any Journal
  let options: SwarmOptions
  var core: SwarmState

  /// Commands that wait for the next batch.
  var pending: [PendingCommand] = []
  var pendingBytes = 0
  var isWriting = false
  /// Why nothing is accepted any more.
  var stopped: SwarmError?
  var closing: [CheckedContinuation<Void, Never>] = []

  var subscribers: [FeedSubscriber] = []

  /// The health of its agents, as this process sees it.
  var health: HealthTracker
  /// Failed agents whose recovery is on its way, and since when.
  var recovering: [AgentID: Int64] = [:]
  var agentWatchers: [AgentWatcher] = []

  /// Who waits for a revision.
  var waiters = RevisionWaiters()

  var checkpointRevision: Revision
  /// Where the journal's entries begin; at most the horizon that the entries name.
  var floor: Revision
  var bytesSinceCheckpoint = 0
  var isSavingCheckpoint = false
  /// Who waits for the checkpoint under way.
  var savers: [CheckedContinuation<Void, Never>] = []
  /// Removes what lies behind the horizon.
  var trimming: Task<Void, Never>?

  private init(
    name: SwarmName, journal: any Journal, core: SwarmState, checkpointRevision: Revision, floor: Revision,
    options: SwarmOptions
  ) {
    self.name = name
    self.journal = journal
    self.core = core
    self.checkpointRevision = checkpointRevision
    self.floor = floor
    self.options = options
    epoch = journal.epoch
    coordinator = SwarmCoordinator()
    volatileMemory = VolatileMemory(limits: options.volatileMemory)
    health = HealthTracker(options.failureDetection, pauseLimit: options.pauseLimit)
  }

  /// Opens a swarm: its newest checkpoint, then the entries after it.
  ///
  /// `createIfMissing`: whether a name that the store does not know becomes a new, empty swarm.
  /// - Throws: `.engine` for what the store says; `.corrupt` if an entry or the checkpoint cannot be read.
  public static func open(
    _ name: SwarmName = .default, in store: any JournalStore, createIfMissing: Bool = true,
    options: SwarmOptions = SwarmOptions()
  ) async throws(SwarmError) -> Swarm {
    let journal: any Journal
    do {
      journal = try await store.open(name)
    } catch .noSuchSwarm where createIfMissing {
      do { journal = try await store.create(name) } catch { throw SwarmError(error) }
    } catch {
      throw SwarmError(error)
    }
    var core: SwarmState
    let floor: Revision
    do {
      core = try await SwarmState.loading(from: journal)
      floor = try await journal.horizon()
    } catch {
      throw SwarmError(error)
    }
    let checkpointRevision = core.revision
    try await core.replay(journal)
    let swarm = Swarm(
      name: name, journal: journal, core: core, checkpointRevision: checkpointRevision, floor: floor, options: options)
    await swarm.admitAgents()
    await swarm.finishTrimming()
    return swarm
  }

  /// Opens the swarm of a name that comes from outside.
  public static func open(
    _ name: String, in store: any JournalStore, createIfMissing: Bool = true, options: SwarmOptions = SwarmOptions()
  ) async throws(SwarmError) -> Swarm {
    let valid: SwarmName
    do { valid = try SwarmName(name) } catch { throw .invalid(field: "/swarm", error.problem) }
    return try await open(valid, in: store, createIfMissing: createIfMissing, options: options)
  }

  /// Accepts no more commands, finishes those under way, ends every feed and saves a checkpoint, which may move the
  /// horizon. The store stays open.
  ///
  /// - Throws: `.engine` if the checkpoint could not be saved; nothing is lost by that, the next opening replays more.
  public func close() async throws(SwarmError) {
    if stopped == nil { stopped = .closed }
    if isWriting {
      await withCheckedContinuation { closing.append($0) }
    }
    while isSavingCheckpoint {
      await withCheckedContinuation { savers.append($0) }
    }
    for subscriber in subscribers { subscriber.mailbox.end(nil) }
    subscribers = []
    for watcher in agentWatchers { watcher.end(nil) }
    agentWatchers = []
    waiters.end(.closed)
    await coordinator.close()
    let saved: Result<Void, SwarmError>
    do throws(SwarmError) { saved = .success(try await saveCheckpoint()) } catch { saved = .failure(error) }
    // What it has not removed from the disk yet is removed after the next opening.
    trimming?.cancel()
    await trimming?.value
    try saved.get()
  }

  /// Stops for good: what the journal says can no longer be trusted or reached. Commands that were not handed to the
  /// journal yet are refused with the same error.
  func stop(_ error: SwarmError) {
    stopped = error
    for command in pending { command.caller.resume(returning: .failure(error)) }
    pending = []
    pendingBytes = 0
    for subscriber in subscribers { subscriber.mailbox.end(error) }
    subscribers = []
    for watcher in agentWatchers { watcher.end(error) }
    agentWatchers = []
    waiters.end(error)
  }
}

extension SwarmError {
  /// Gives an engine's error its place among the swarm's.
  init(_ error: JournalError) {
    switch error {
    case .corrupt(let revision, let how): self = .corrupt(revision: revision, how)
    case .uncertain(let what): self = .outcomeUnknown(what)
    case .closed: self = .closed
    case .trimmed(let horizon): self = .trimmed("what lies before the horizon \(horizon) is no longer kept; read again")
    default: self = .engine(error)
    }
  }
}
