import Synchronization

/// Journals in memory: the reference engine. Nothing survives the process, so "durable" here means "in the log".
///
/// Like a new data folder, a new store holds the swarm `default`. ``reopened()`` stands in for a restart in tests.
public final class InMemoryStore: JournalStore {
  private let swarmLogs: InMemorySwarms
  private let door = InMemoryDoor()
  private let source: InMemorySource

  /// An empty store.
  ///
  /// - Parameters:
  ///   - largestBatch: entries that one append takes; a longer batch is cut to this prefix. A small number in a test
  ///     makes every caller meet the cut.
  ///   - now: milliseconds since 1970, asked once per append.
  ///   - newEpoch: a random source; it must not repeat.
  public convenience init(
    largestBatch: Int = 4096, now: @escaping @Sendable () -> Int64, newEpoch: @escaping @Sendable () -> Epoch
  ) {
    let source = InMemorySource(largestBatch: max(1, largestBatch), now: now, newEpoch: newEpoch)
    self.init(swarms: InMemorySwarms(first: InMemoryLog(swarm: .default, epoch: newEpoch())), source: source)
  }

  private init(swarms: InMemorySwarms, source: InMemorySource) {
    self.swarmLogs = swarms
    self.source = source
  }

  /// A second store over the same logs, as the next process would open them. This one is closed.
  public func reopened() -> InMemoryStore {
    door.close()
    return InMemoryStore(swarms: swarmLogs, source: source)
  }

  public func swarms() async throws(JournalError) -> [SwarmName] {
    try door.check()
    return swarmLogs.byName.withLock { $0.keys.sorted() }
  }

  public func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    try await restore(swarm, entries: [])
  }

  public func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    try door.check()
    guard let log = swarmLogs.byName.withLock({ $0[swarm] }) else { throw .noSuchSwarm(swarm) }
    return journal(over: log)
  }

  public func delete(_ swarm: SwarmName) async throws(JournalError) {
    try door.check()
    guard let log = swarmLogs.byName.withLock({ $0.removeValue(forKey: swarm) }) else { throw .noSuchSwarm(swarm) }
    log.content.withLock { $0.isDeleted = true }
  }

  public func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal {
    try door.check()
    var order = try RestoreOrder(checkpoint: checkpoint?.header)
    var floor: InMemoryCheckpoint?
    if let checkpoint {
      let records = try await checkpoint.records.all()
      try order.take(records)
      let byPosition = Dictionary(uniqueKeysWithValues: records.map { ($0.position, $0.bytes) })
      floor = InMemoryCheckpoint(header: checkpoint.header, records: byPosition)
    }
    let entries = try await entries.all()
    try order.take(entries)
    let log = InMemoryLog(swarm: swarm, epoch: source.newEpoch(), floor: floor, entries: entries)
    try swarmLogs.byName.withLock { (logs: inout [SwarmName: InMemoryLog]) throws(JournalError) in
      guard logs[swarm] == nil else { throw .alreadyExists(swarm) }
      logs[swarm] = log
    }
    return journal(over: log)
  }

  public func close() async throws(JournalError) {
    door.close()
  }

  private func journal(over log: InMemoryLog) -> InMemoryJournal {
    InMemoryJournal(log: log, door: door, source: source)
  }
}

/// Where a store gets its time and its epochs from.
struct InMemorySource: Sendable {
  let largestBatch: Int
  let now: @Sendable () -> Int64
  let newEpoch: @Sendable () -> Epoch
}

/// Whether a store is still open; its journals ask too.
final class InMemoryDoor: Sendable {
  private let isClosed = Atomic(false)

  func close() {
    isClosed.store(true, ordering: .releasing)
  }

  func check() throws(JournalError) {
    if isClosed.load(ordering: .acquiring) { throw .closed }
  }
}

/// The logs of all swarms, shared by a store and the stores reopened from it.
final class InMemorySwarms: Sendable {
  let byName: Mutex<[SwarmName: InMemoryLog]>

  init(first: InMemoryLog) {
    byName = Mutex([first.swarm: first])
  }
}
