import HTTPTypes
import Logging
import MoaiFlow
import Synchronization

/// The swarms of a hub: opened when somebody first asks, each once, and closed together.
actor HubSwarms {
  /// Whoever comes while a swarm is being opened, created or deleted waits for that.
  private enum Place {
    case opening(Task<Result<Swarm, SwarmError>, Never>)
    case open(Swarm)
    case leaving(Task<Void, Never>)
    /// It does not open, and is not tried again before that.
    case failed(SwarmError, until: ContinuousClock.Instant)
  }

  /// Reading a swarm that does not open may take seconds, and its callers try again.
  private static let pauseAfterFailure = Duration.seconds(5)

  private let store: any JournalStore
  private let limit: Int
  /// Of swarms whose own settings keep all history.
  private nonisolated let retention: HistoryRetention
  private let logger: Logger
  private var places: [SwarmName: Place] = [:] {
    didSet { publish() }
  }
  private var isClosed = false
  /// The newest requests to make or delete a swarm that were done: no journal remembers them.
  private var done: [Done] = []
  private static let doneLimit = 1_000

  private struct Done: Equatable {
    enum Work { case creation, deletion }

    let work: Work
    let swarm: SwarmName
    let key: String
  }

  private func note(_ request: Done) {
    done.append(request)
    if done.count > HubSwarms.doneLimit { done.removeFirst() }
  }

  /// Those that are open, for whoever asks without waiting for the actor: every request does.
  private nonisolated let ready = Mutex<[SwarmName: Swarm]>([:])
  /// Those that were deleted, for streams that end by that; others end because their swarm is opened anew.
  private nonisolated let deleted = Mutex<Set<SwarmName>>([])

  init(store: any JournalStore, limit: Int, retention: HistoryRetention, logger: Logger) {
    self.store = store
    self.limit = limit
    self.retention = retention
    self.logger = logger
  }

  nonisolated func open(_ name: SwarmName) -> Swarm? { ready.withLock { $0[name] } }

  /// Why a stream ends whose swarm was closed.
  nonisolated func end(of name: SwarmName) -> StreamEnd {
    deleted.withLock { $0.contains(name) } ? .deleted : .shutdown
  }

  private func publish() {
    var open: [SwarmName: Swarm] = [:]
    if !isClosed {
      for case (let name, .open(let swarm)) in places { open[name] = swarm }
    }
    ready.withLock { $0 = open }
  }

  /// The swarm of a name.
  ///
  /// - Throws: 404 for a name that the store does not know.
  nonisolated func swarm(_ name: SwarmName) async throws(Problem) -> Swarm {
    if let swarm = open(name) { return swarm }
    return try await find(name)
  }

  private func find(_ name: SwarmName) async throws(Problem) -> Swarm {
    while true {
      if isClosed { throw Problem(SwarmError.closed) }
      switch places[name] {
      case .open(let swarm): return swarm
      case .leaving(let task): await task.value
      case .opening(let task): return try await result(of: task)
      case .failed(let error, let end):
        if .now < end { throw Problem(error) }
        places[name] = nil
      case nil: return try await result(of: start(name))
      }
    }
  }

  private func result(of task: Task<Result<Swarm, SwarmError>, Never>) async throws(Problem) -> Swarm {
    do { return try await task.value.get() } catch { throw Problem(error) }
  }

  private func start(_ name: SwarmName) throws(Problem) -> Task<Result<Swarm, SwarmError>, Never> {
    guard places.count < limit else { throw Problem(SwarmError.busy) }
    let task = Task { [store] in
      let result: Result<Swarm, SwarmError>
      do throws(SwarmError) {
        let swarm = try await Swarm.open(name, in: store, createIfMissing: false)
        try await bound(swarm)
        result = .success(swarm)
      } catch {
        result = .failure(error)
      }
      opened(name, result)
      return result
    }
    places[name] = .opening(task)
    return task
  }

  /// The settings with this hub's retention, if they have none.
  nonisolated func bounded(_ settings: SwarmSettings) -> SwarmSettings {
    guard !settings.retention.isBounded else { return settings }
    var bounded = settings
    bounded.retention = retention
    return bounded
  }

  private nonisolated func bound(_ swarm: Swarm) async throws(SwarmError) {
    let settings = try await swarm.settings().settings
    let bounded = bounded(settings)
    if bounded != settings { _ = try await swarm.replaceSettings(bounded) }
  }

  private func opened(_ name: SwarmName, _ result: Result<Swarm, SwarmError>) {
    switch result {
    case .success(let swarm): places[name] = .open(swarm)
    case .failure(.engine(.noSuchSwarm)): places[name] = nil
    case .failure(let error):
      places[name] = .failed(error, until: .now + HubSwarms.pauseAfterFailure)
      logger.warning("a swarm does not open", metadata: ["swarm": "\(name)", "error": "\(error)"])
    }
  }

  func names() async throws(Problem) -> [SwarmName] {
    do { return try await store.swarms() } catch { throw Problem(error) }
  }

  /// Those that are open.
  var running: [Swarm] {
    places.sorted { $0.key < $1.key }.compactMap { if case .open(let swarm) = $0.value { swarm } else { nil } }
  }

  /// Those that could not be opened when that was last tried.
  var failed: [SwarmName] {
    places.keys.sorted().filter { if case .failed? = places[$0] { true } else { false } }
  }

  /// The swarm of a name, which is made if there is none; and whether it was.
  ///
  /// - Parameter key: a request that is repeated under it is told the same, for as long as the hub runs.
  func obtain(_ name: SwarmName, key: String?) async throws(Problem) -> (swarm: Swarm, isNew: Bool) {
    let request = key.map { Done(work: .creation, swarm: name, key: $0) }
    var isNew = false
    while true {
      do {
        let swarm = try await swarm(name)
        // Who deletes it at the same time may have begun before it was found, or after.
        guard case .open(let current)? = places[name], current === swarm else { continue }
        if isNew, let request { note(request) }
        return (swarm, isNew || request.map(done.contains) ?? false)
      } catch  where error.code == "unknown_swarm" {
        isNew = try await create(name)
      }
    }
  }

  /// - Returns: whether it was this call that made it.
  private func create(_ name: SwarmName) async throws(Problem) -> Bool {
    do throws(JournalError) {
      _ = try await store.create(name)
    } catch .alreadyExists {
      return false
    } catch {
      throw Problem(error)
    }
    deleted.withLock { _ = $0.remove(name) }
    return true
  }

  /// Deletes a swarm with its history; its streams end.
  ///
  /// - Parameter key: a request that is repeated under it deletes nothing more, for as long as the hub runs: the journal that
  ///   would remember it has gone.
  func delete(_ name: SwarmName, key: String?) async throws(Problem) {
    let request = key.map { Done(work: .deletion, swarm: name, key: $0) }
    if let request, done.contains(request) { return }
    try await delete(name)
    if let request { note(request) }
  }

  private func delete(_ name: SwarmName) async throws(Problem) {
    var found: Swarm?
    // Who asked at the same time may have deleted it meanwhile, and another one may have its name.
    while found == nil {
      let swarm = try await swarm(name)
      if case .open(let current)? = places[name], current === swarm { found = swarm }
    }
    guard let swarm = found else { return }
    var failure: JournalError?
    deleted.withLock { _ = $0.insert(name) }
    let task = Task {
      try? await swarm.close()
      do throws(JournalError) { try await store.delete(name) } catch { failure = error }
      places[name] = nil
    }
    places[name] = .leaving(task)
    await task.value
    guard let failure else { return }
    deleted.withLock { _ = $0.remove(name) }
    throw Problem(failure)
  }

  /// Puts an entry that changes nothing in the place of one that stops its swarm; the swarm's streams end.
  func skip(
    _ revision: Revision, of name: SwarmName, because reason: String, evenIfIntact: Bool
  ) async throws -> SkippedLoss {
    if isClosed { throw Problem(SwarmError.closed) }
    var open = try? await swarm(name)
    while isMoving(name) { open = try? await swarm(name) }
    var result: Result<SkippedLoss, any Error> = .failure(Problem(SwarmError.closed))
    let task = Task {
      try? await open?.close()
      do {
        result = .success(
          try await SkippedLoss.skip(
            revision, in: try await store.open(name), because: reason, evenIfIntact: evenIfIntact, id: .random()))
      } catch {
        result = .failure(error)
      }
      places[name] = nil
    }
    places[name] = .leaving(task)
    await task.value
    return try result.get()
  }

  /// Whether somebody else opens or closes the swarm, or has closed it.
  private func isMoving(_ name: SwarmName) -> Bool {
    switch places[name] {
    case .opening, .leaving: true
    case .open, .failed, nil: false
    }
  }

  /// What would be lost with an entry.
  func loss(of revision: Revision, of name: SwarmName, evenIfIntact: Bool) async throws -> SkippedLoss {
    try await SkippedLoss(of: revision, in: try await journal(of: name), evenIfIntact: evenIfIntact)
  }

  /// A swarm's journal, for reading.
  func journal(of name: SwarmName) async throws(Problem) -> any Journal {
    do { return try await store.open(name) } catch { throw Problem(error) }
  }

  /// - Throws: 501 if the store makes no copies.
  func backup(to path: String) async throws(Problem) {
    guard let store = store as? any BackupStore else {
      throw Problem(.notImplemented, "not_supported", "this engine makes no copies")
    }
    do { try await store.writeBackup(to: path) } catch { throw Problem(error) }
  }

  /// Opens all swarms that the store has, so that the first request does not wait for a replay.
  func openAll() async {
    guard let names = try? await names() else { return }
    for name in names.prefix(limit) { _ = try? await swarm(name) }
  }

  /// Finishes what is under way in every swarm, and closes the store.
  func close() async {
    isClosed = true
    publish()
    for place in places.values {
      if case .opening(let task) = place { _ = await task.value }
    }
    for swarm in running {
      do {
        try await swarm.close()
      } catch {
        logger.warning("a checkpoint was not saved", metadata: ["swarm": "\(swarm.name)", "error": "\(error)"])
      }
    }
    try? await store.close()
  }
}
