import MoaiFlow
import Synchronization

/// A disk as one process has it open.
final class SimulatedStore: JournalStore {
  private let journal: SimulatedJournal

  init(journal: any Journal, disk: SimulatedDisk) {
    self.journal = SimulatedJournal(journal, disk: disk)
  }

  /// The process dies: nothing that it does from now on reaches the disk.
  func crash() async {
    await journal.crash()
  }

  func swarms() async throws(JournalError) -> [SwarmName] { [.default] }
  func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal { journal }
  func close() async throws(JournalError) {}

  func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal { throw .alreadyExists(swarm) }
  func delete(_ swarm: SwarmName) async throws(JournalError) { throw .readOnly("the simulated disk") }

  func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal {
    throw .alreadyExists(swarm)
  }
}

/// A journal whose calls take time and fail as the disk's faults say, and which dies with its process.
///
/// A crash may fall before an append reaches the disk (nothing is stored, or a prefix), or between the append and its
/// answer (it is stored, and nobody was told).
final class SimulatedJournal: Journal {
  private let journal: any Journal
  private let disk: SimulatedDisk
  private let isDead = Mutex(false)
  /// The batch that was handed over and has not reached the disk yet.
  private let underWay = Mutex<[[UInt8]]>([])
  private let clock = SimulatedClock()

  init(_ journal: any Journal, disk: SimulatedDisk) {
    self.journal = journal
    self.disk = disk
  }

  func crash() async {
    isDead.withLock { $0 = true }
    // The write was on its way when the process died: what of it reached the disk?
    let batch = underWay.withLock { $0 }
    let survivors = dice(3) == 0 ? dice(batch.count + 1) : 0
    if survivors > 0 { _ = try? await store(Array(batch.prefix(survivors))) }
  }

  private func checkAlive() throws(JournalError) {
    if isDead.withLock({ $0 }) { throw .closed }
  }

  private func dice(_ bound: Int) -> Int {
    disk.faults.withLock { $0.random.below(bound) }
  }

  var epoch: Epoch { journal.epoch }

  private func store(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    let appended = try await journal.append(entries)
    try await disk.remember(journal)
    return appended
  }

  func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    try checkAlive()
    let fault = disk.faults.withLock { $0.appends.isEmpty ? nil : $0.appends.removeFirst() }
    underWay.withLock { $0 = entries }
    await clock.pass(fault == .slow ? 200 + dice(2_000) : dice(4))
    underWay.withLock { $0 = [] }
    try checkAlive()
    let appended: Appended
    switch fault {
    case .full: throw .full("the simulated disk")
    case .failed: throw .failed("the simulated disk")
    case .uncertainLost: throw .uncertain("the simulated disk")
    case .uncertainStored:
      _ = try await store(entries)
      throw .uncertain("the simulated disk")
    case .cut: appended = try await store(Array(entries.prefix(1)))
    case .twice:
      _ = try await store(entries)
      appended = try await store(entries)
    case .slow, nil: appended = try await store(entries)
    }
    await clock.pass(dice(3))
    try checkAlive()
    return appended
  }

  func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry] {
    try checkAlive()
    await clock.pass(dice(2))
    try checkAlive()
    if takeReadFault() { throw .failed("the simulated disk cannot be read") }
    return try await journal.read(after: revision, entryLimit: entryLimit, byteLimit: byteLimit)
  }

  private func takeReadFault() -> Bool {
    disk.faults.withLock { faults in
      defer { faults.reads = max(0, faults.reads - 1) }
      return faults.reads > 0
    }
  }

  func head() async throws(JournalError) -> Revision {
    try checkAlive()
    return try await journal.head()
  }

  func horizon() async throws(JournalError) -> Revision {
    try checkAlive()
    return try await journal.horizon()
  }

  func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    try checkAlive()
    await clock.pass(dice(20))
    try checkAlive()
    let fails = disk.faults.withLock { faults in
      defer { faults.saves = max(0, faults.saves - 1) }
      return faults.saves > 0
    }
    if fails { throw .full("the simulated disk, for a checkpoint") }
    try await journal.save(checkpoint)
    if let header = try await journal.checkpoint() {
      let records = try await journal.checkpointRecords(of: header.revision, after: nil, limit: .max)
      disk.note(SimulatedDisk.SavedCheckpoint(header: header, records: records))
    }
    await clock.pass(dice(5))
    try checkAlive()
  }

  func checkpoint() async throws(JournalError) -> CheckpointHeader? {
    try checkAlive()
    return try await journal.checkpoint()
  }

  func checkpoints() async throws(JournalError) -> [CheckpointHeader] {
    try checkAlive()
    return try await journal.checkpoints()
  }

  func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    try checkAlive()
    return try await journal.checkpointRecords(of: revision, after: position, limit: limit)
  }

  func trim(to floor: Revision) async throws(JournalError) {
    try checkAlive()
    await clock.pass(dice(10))
    try checkAlive()
    try await journal.trim(to: floor)
    await clock.pass(dice(3))
    try checkAlive()
  }

  func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry? {
    try checkAlive()
    return try await journal.damagedEntry(at: revision)
  }

  func skip(_ revision: Revision, replacement payload: [UInt8], evenIfIntact: Bool) async throws(JournalError) {
    try checkAlive()
    try await journal.skip(revision, replacement: payload, evenIfIntact: evenIfIntact)
  }
}
