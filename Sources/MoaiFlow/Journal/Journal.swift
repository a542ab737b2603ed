/// The position of an entry in a swarm's journal: strictly increasing, from 1. 0 is the empty journal.
public typealias Revision = Int64

/// One swarm's append-only, totally ordered log, and the place where its checkpoints are kept.
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
  /// - Throws: `.trimmed` if `revision` lies before ``horizon()``; `.corrupt` naming the first revision whose entry is
  ///   damaged or missing; the intact entries before it can still be read by asking for fewer, and those behind it by
  ///   asking for what comes after it.
  func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry]

  /// The revision of the last durable entry; 0 for an empty journal.
  func head() async throws(JournalError) -> Revision

  /// The revision behind which entries are no longer kept: entries with greater revisions can be read. It is the floor:
  /// 0, or the revision of the oldest kept checkpoint.
  func horizon() async throws(JournalError) -> Revision

  /// Saves a checkpoint by its difference from the newest one, as one atomic and durable step.
  ///
  /// Records are removed, then upserted, by (table, id); all others stay. `revision` must not be less than the newest
  /// checkpoint's, nor greater than ``head()``; at the newest one's own revision it replaces that one. The checkpoint that
  /// was the newest goes, unless it is the floor or the update `keepsPrevious`. At most three are kept.
  /// Costs what the update holds, however many records there are.
  ///
  /// - Throws: `.invalid` if the update is refused.
  func save(_ checkpoint: CheckpointUpdate) async throws(JournalError)

  /// The newest checkpoint's revision and header, or nil if none was saved.
  func checkpoint() async throws(JournalError) -> CheckpointHeader?

  /// The kept checkpoints in ascending order. The empty swarm at revision 0 is none of them.
  func checkpoints() async throws(JournalError) -> [CheckpointHeader]

  /// The records of the kept checkpoint at `revision` in the order of (table, id bytes), `limit` at most, after
  /// `position` (nil: from the start). Empty at the end.
  ///
  /// Pages of one pass fit together for as long as that checkpoint is kept and not saved again at the same revision.
  ///
  /// - Throws: `.invalid` if no checkpoint is kept at `revision`, other than 0.
  func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord]

  /// Makes the kept checkpoint at `floor` the horizon: earlier checkpoints and all entries up to `floor` go.
  ///
  /// The step itself is atomic, durable and short. What it leaves behind is deleted bit by bit, so that appends go on, and
  /// is never visible; this call returns when that is done, or soon after its task is cancelled. A crash, or a
  /// cancellation, in between leaves rows that the next opening or the next call removes. With the horizon's own revision
  /// it only does that.
  ///
  /// - Throws: `.invalid` if no checkpoint is kept at `floor`.
  func trim(to floor: Revision) async throws(JournalError)

  /// What is left of the entry at `revision`, which is damaged or missing; nil if it is intact.
  ///
  /// - Throws: `.trimmed`; `.invalid` for a revision that was never there.
  func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry?

  /// Puts `payload` in the place of the damaged or missing entry at `revision`, as one atomic and durable step.
  ///
  /// Everything behind it stays what and where it is. Checkpoints at or behind `revision` go, since they hold the effects
  /// of what is no longer there; the floor stays. For an operator who has decided to go on without that entry: nobody
  /// else may be using the journal.
  ///
  /// - Parameter evenIfIntact: also replaces an entry that is stored as it was appended, for one that nobody can decode.
  /// - Throws: `.invalid` for an intact entry, for a revision that was never there, and while the entry before is missing;
  ///   `.trimmed`.
  func skip(_ revision: Revision, replacement payload: [UInt8], evenIfIntact: Bool) async throws(JournalError)
}

extension Journal {
  /// Puts `payload` in the place of a damaged or missing entry; an intact one is refused.
  public func skip(_ revision: Revision, replacement payload: [UInt8]) async throws(JournalError) {
    try await skip(revision, replacement: payload, evenIfIntact: false)
  }
}

/// An entry that cannot be trusted, as far as it is there.
public struct DamagedEntry: Sendable, Hashable {
  public let revision: Revision
  /// What is stored; nil if nothing is.
  public let appendedAt: Int64?
  public let payload: [UInt8]?
  /// How it was noticed.
  public let problem: String

  public init(revision: Revision, appendedAt: Int64?, payload: [UInt8]?, problem: String) {
    self.revision = revision
    self.appendedAt = appendedAt
    self.payload = payload
    self.problem = problem
  }
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
