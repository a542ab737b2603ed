import MoaiFlow
import Synchronization

/// A disk that outlives the processes which use it: the in-memory engine, with faults, a wall clock that jumps, and a
/// memory of everything that it ever held.
///
/// Each process opens it through a door of its own. When the process crashes the door shuts, and the dice decide what
/// became of the append under way: stored whole, cut, or not at all.
final class SimulatedDisk: Sendable {
  /// What the next append meets.
  enum AppendFault: CaseIterable, Sendable {
    case full, failed
    /// The engine does not know what became of the batch; it stored it, or it did not.
    case uncertainStored, uncertainLost
    /// Only the first entry of the batch is taken.
    case cut
    /// The engine stores the batch twice.
    case twice
    case slow
  }

  /// A checkpoint as the engine gave it back after it was saved.
  struct SavedCheckpoint: Sendable {
    let header: CheckpointHeader
    let records: [CheckpointRecord]
  }

  /// What the disk held under one epoch.
  struct Era: Sendable {
    let epoch: Epoch
    /// Entries up to here came with a restored backup.
    let inherited: Revision
    /// Where the engine's entries began, and what stood there, if the backup was of a journal that had been trimmed.
    let floor: SavedCheckpoint?
    /// Every entry that there ever was, from revision 1 on, also those that the engine was told to trim.
    var entries: [JournalEntry]
    var checkpoints: [SavedCheckpoint] = []
  }

  private struct Backup: Sendable {
    let floor: SavedCheckpoint?
    /// After the floor.
    let entries: [JournalEntry]
    /// From revision 1 on.
    let history: [JournalEntry]
  }

  struct Faults {
    var appends: [AppendFault] = []
    var saves = 0
    var reads = 0
    var random: SplitMix64
  }

  let time = WallClock()
  let faults: Mutex<Faults>
  private let store: InMemoryStore
  private let eras = Mutex<[Era]>([])
  private let backup = Mutex<Backup?>(nil)

  init(seed: UInt64, largestBatch: Int) {
    faults = Mutex(Faults(random: SplitMix64(seed: seed)))
    let ids = SeededIDs(seed: ~seed)
    store = InMemoryStore(largestBatch: largestBatch, now: { [time] in time.now }, newEpoch: { ids.epoch() })
  }

  func willAppend(_ fault: AppendFault) { faults.withLock { $0.appends.append(fault) } }
  func willFailSave() { faults.withLock { $0.saves += 1 } }
  func willFailRead() { faults.withLock { $0.reads += 1 } }
  func forgetFaults() { faults.withLock { ($0.appends, $0.saves, $0.reads) = ([], 0, 0) } }

  /// Opens the disk for a process.
  func open() async throws(JournalError) -> SimulatedStore {
    let journal = try await store.open(.default)
    eras.withLock { eras in
      if eras.isEmpty { eras.append(Era(epoch: journal.epoch, inherited: 0, floor: nil, entries: [])) }
    }
    return SimulatedStore(journal: journal, disk: self)
  }

  /// Copies what was stored since the last time into the memory of everything.
  func remember(_ journal: any Journal) async throws(JournalError) {
    let known = eras.withLock { Revision($0[$0.count - 1].entries.count) }
    let new = try await journal.read(after: known, entryLimit: .max, byteLimit: .max)
    eras.withLock { $0[$0.count - 1].entries += new }
  }

  func note(_ checkpoint: SavedCheckpoint) {
    eras.withLock { $0[$0.count - 1].checkpoints.append(checkpoint) }
  }

  /// Keeps a copy of what is stored now.
  func backUp() async throws(JournalError) {
    let journal = try await store.open(.default)
    try await remember(journal)
    let history = eras.withLock { $0[$0.count - 1].entries }
    var floor: SavedCheckpoint?
    let horizon = try await journal.horizon()
    if let header = try await journal.checkpoints().first(where: { $0.revision == horizon }) {
      floor = SavedCheckpoint(
        header: header, records: try await journal.checkpointRecords(of: horizon, after: nil, limit: .max))
    }
    let entries = try await journal.read(after: horizon, entryLimit: .max, byteLimit: .max)
    backup.withLock { $0 = Backup(floor: floor, entries: entries, history: history) }
  }

  /// Puts the backup, if there is one, in place of what is stored, under a new epoch.
  func restoreBackup() async throws(JournalError) {
    guard let backup = backup.withLock({ $0 }) else { return }
    try await store.delete(.default)
    let checkpoint = backup.floor.map { RestoredCheckpoint($0.header, records: Pages($0.records)) }
    let journal = try await store.restore(.default, checkpoint: checkpoint, entries: Pages(backup.entries))
    eras.withLock {
      $0.append(
        Era(
          epoch: journal.epoch, inherited: Revision(backup.history.count), floor: backup.floor,
          entries: backup.history))
    }
  }

  /// Everything that was ever stored, epoch by epoch.
  var history: [Era] { eras.withLock { $0 } }
}
