/// The position of an entry in a swarm's journal: strictly increasing, from 1. 0 is the empty journal.
public typealias Revision = Int64

/// One swarm's append-only, totally ordered log, and the place where its checkpoint is kept.
///
/// A journal stores bytes and knows nothing of what they mean; ``Swarm`` writes entries into it and applies them in
/// the order of their revisions. Everything durable in a swarm went through ``append(_:)``.
///
/// An engine conforms by passing `JournalContract` in `MoaiFlowTesting`; what the methods promise is checked there.
public protocol Journal: Sendable {
  /// The journal's random id: new for every journal that is created, restored or imported.
  var epoch: Epoch { get }

  /// Appends entries in order and returns when they are durable.
  ///
  /// Each entry is atomic. The batch may be cut to a prefix of at least one entry: `Appended.count` says how many are
  /// in. Entries that other processes append may come between two batches, never inside one.
  /// Concurrent calls share one commit where the engine has a cost per commit.
  ///
  /// - Throws: `JournalError`. After `.uncertain` the entries may or may not be in the journal: read on from the last
  ///   known revision to find out; until the engine knows itself, reading throws `.failed`. After every other error none
  ///   of them is, and never will be. `.noSuchSwarm` once the swarm was deleted, as from every other method.
  func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended

  /// Entries after `revision` in ascending order without gaps, at most `entryLimit` of them and about `byteLimit`
  /// bytes of payload, but at least one if there is one. An engine may give fewer than was asked for: only an empty page
  /// is the end of the journal.
  ///
  /// - Throws: `.corrupt` naming the first revision whose entry is damaged or missing; the intact entries before it
  ///   can still be read by asking for fewer.
  func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry]

  /// The revision of the last durable entry; 0 for an empty journal.
  func head() async throws(JournalError) -> Revision

  /// The revision behind which entries are no longer kept: entries with greater revisions can be read.
  func horizon() async throws(JournalError) -> Revision

  /// Saves a checkpoint by its difference from the one before, as one atomic and durable step.
  ///
  /// Records are removed, then upserted, by (table, id); all others stay. `revision` must not be less than the previous
  /// checkpoint's, nor greater than ``head()``.
  func save(_ checkpoint: CheckpointUpdate) async throws(JournalError)

  /// The newest checkpoint's revision and header, or nil if none was saved.
  func checkpoint() async throws(JournalError) -> CheckpointHeader?

  /// The records of the newest checkpoint in the order of (table, id bytes), `limit` at most, after `position`
  /// (nil: from the start). Empty at the end. No save may run between two pages of one pass.
  func checkpointRecords(
    after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord]
}

/// What ``Journal/append(_:)`` made durable: entries `firstRevision ..< firstRevision + count`.
public struct Appended: Sendable, Hashable {
  public let firstRevision: Revision
  public let count: Int
  /// The engine's time at the append, in milliseconds since 1970. One time for the whole batch. It may go back
  /// between batches when the machine's clock does; the core's journal time does not.
  public let appendedAt: Int64

  public init(firstRevision: Revision, count: Int, appendedAt: Int64) {
    self.firstRevision = firstRevision
    self.count = count
    self.appendedAt = appendedAt
  }
}

/// One entry as the journal keeps it.
public struct JournalEntry: Sendable, Hashable {
  public let revision: Revision
  /// Milliseconds since 1970, by the engine's clock.
  public let appendedAt: Int64
  public let payload: [UInt8]

  public init(revision: Revision, appendedAt: Int64, payload: [UInt8]) {
    self.revision = revision
    self.appendedAt = appendedAt
    self.payload = payload
  }
}
