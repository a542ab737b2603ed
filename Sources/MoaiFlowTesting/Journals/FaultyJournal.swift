public import MoaiFlow
import Synchronization

/// A journal over another one that fails, cuts and waits as a test's script says; without a script it only passes on.
///
/// Scripts are queues: each call takes the next step of its queue, and once a queue is empty the calls succeed.
public final class FaultyJournal: Journal {
  /// What the next append does.
  public enum AppendStep: Sendable {
    case succeeds
    /// Throws and stores nothing.
    case refuses(JournalError)
    /// Stores the batch, then throws.
    case storesThenThrows(JournalError)
    /// Cuts the batch to a prefix of this many entries.
    case takes(Int)
    /// Another writer's entries come first.
    case comesAfter([[UInt8]])
    /// Says that the batch begins at this revision, which it may not.
    case claims(firstRevision: Revision)
  }

  private struct Script {
    var appends: [AppendStep] = []
    var reads: [JournalError] = []
    var saves: [JournalError] = []
    var trims: [JournalError] = []
    var savesOfOthers: [CheckpointUpdate] = []
  }

  private let journal: any Journal
  private let script = Mutex(Script())
  /// Closed gates hold the calls that arrive at them.
  public let appendGate = Gate()
  public let saveGate = Gate()

  public init(_ journal: any Journal) {
    self.journal = journal
  }

  public func willAppend(_ steps: AppendStep...) { script.withLock { $0.appends += steps } }
  public func willFailReads(_ errors: JournalError...) { script.withLock { $0.reads += errors } }
  public func willFailTrims(_ errors: JournalError...) { script.withLock { $0.trims += errors } }
  public func willFailSaves(_ errors: JournalError...) { script.withLock { $0.saves += errors } }

  /// Another process saves these checkpoints, one before each of the next pages of records.
  public func willFindSaved(_ updates: CheckpointUpdate...) { script.withLock { $0.savesOfOthers += updates } }

  public var epoch: Epoch { journal.epoch }

  public func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    await appendGate.pass()
    let step = script.withLock { $0.appends.isEmpty ? .succeeds : $0.appends.removeFirst() }
    switch step {
    case .succeeds: return try await journal.append(entries)
    case .refuses(let error): throw error
    case .storesThenThrows(let error):
      _ = try await journal.append(entries)
      throw error
    case .takes(let count): return try await journal.append(Array(entries.prefix(max(1, count))))
    case .comesAfter(let others):
      _ = try await journal.append(others)
      return try await journal.append(entries)
    case .claims(let revision):
      let appended = try await journal.append(entries)
      return Appended(firstRevision: revision, count: appended.count, appendedAt: appended.appendedAt)
    }
  }

  public func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry] {
    if let error = script.withLock({ $0.reads.isEmpty ? nil : $0.reads.removeFirst() }) { throw error }
    return try await journal.read(after: revision, entryLimit: entryLimit, byteLimit: byteLimit)
  }

  public func head() async throws(JournalError) -> Revision { try await journal.head() }
  public func horizon() async throws(JournalError) -> Revision { try await journal.horizon() }

  public func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    await saveGate.pass()
    if let error = script.withLock({ $0.saves.isEmpty ? nil : $0.saves.removeFirst() }) { throw error }
    try await journal.save(checkpoint)
  }

  public func checkpoint() async throws(JournalError) -> CheckpointHeader? { try await journal.checkpoint() }

  public func checkpoints() async throws(JournalError) -> [CheckpointHeader] { try await journal.checkpoints() }

  public func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    if position != nil,
      let update = script.withLock({ $0.savesOfOthers.isEmpty ? nil : $0.savesOfOthers.removeFirst() })
    {
      try await journal.save(update)
    }
    return try await journal.checkpointRecords(of: revision, after: position, limit: limit)
  }

  public func trim(to floor: Revision) async throws(JournalError) {
    if let error = script.withLock({ $0.trims.isEmpty ? nil : $0.trims.removeFirst() }) { throw error }
    try await journal.trim(to: floor)
  }

  public func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry? {
    try await journal.damagedEntry(at: revision)
  }

  public func skip(
    _ revision: Revision, replacement payload: [UInt8], evenIfIntact: Bool
  ) async throws(JournalError) {
    try await journal.skip(revision, replacement: payload, evenIfIntact: evenIfIntact)
  }
}
