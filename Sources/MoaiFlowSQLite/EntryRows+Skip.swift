import GRDB
import MoaiFlow

extension EntryRows {
  /// What is left of an entry that cannot be read; nil if it is intact.
  static func damagedEntry(at revision: Revision, of swarm: SwarmRow, in db: Database) throws -> DamagedEntry? {
    try checkRange(revision, of: swarm, in: db)
    return switch try EntryRow.examine(revision, of: swarm, in: db) {
    case .intact: nil
    case .damaged(let row, let payload, let how):
      DamagedEntry(revision: revision, appendedAt: row.appendedAt, payload: payload, problem: how)
    case .missing(let how): DamagedEntry(revision: revision, appendedAt: nil, payload: nil, problem: how)
    }
  }

  /// Puts `payload` in the place of an entry; runs inside the caller's transaction.
  ///
  /// The new entry follows on the one before it. The one behind it keeps its link, which a seam holds from then on. If it
  /// is damaged itself it stays so: its own checksum is checked first.
  static func skip(
    _ revision: Revision, of swarm: SwarmRow, replacement payload: [UInt8], evenIfIntact: Bool, now: Int64,
    path: String, in db: Database
  ) throws {
    try checkRange(revision, of: swarm, in: db)
    guard let previous = try link(at: revision - 1, of: swarm, in: db) else {
      throw JournalError.invalid("entry \(revision - 1) is missing; skip that one first")
    }
    if case .intact = try EntryRow.examine(revision, of: swarm, in: db), !evenIfIntact {
      throw JournalError.invalid("entry \(revision) is intact, so it is not skipped")
    }
    // A time of its own would be journal time for everything behind it.
    let appendedAt = try time(of: revision - 1, swarm, in: db) ?? time(of: revision + 1, swarm, in: db) ?? now
    try RawStatement(db, "DELETE FROM entry WHERE place = ?").run {
      try $0.bind(Place.of(swarm: swarm.id, revision: revision), at: 1)
    }
    try SeamRows.remove(at: revision, of: swarm, in: db)
    var tail = Tail(head: revision - 1, link: previous)
    try insert(CollectionOfOne((appendedAt, payload)), of: swarm, after: &tail, in: db)
    let isNextSewn = try SeamRows.seam(of: swarm, at: revision + 1, in: db) != nil
    if !isNextSewn, let next = try row(at: revision + 1, of: swarm, in: db) {
      try SeamRows.insert(for: next, of: swarm, in: db)
    }
    var kept = try CheckpointRows.kept(of: swarm, path: path, in: db)
    kept.skip(revision, head: try EntryRows.tail(of: swarm, in: db).head)
    try CheckpointRows.drop(allBut: kept.revisions, of: swarm, in: db)
    try RecordRows.removeVersions(of: swarm, after: kept.revisions.last, in: db)
  }

  private static func checkRange(_ revision: Revision, of swarm: SwarmRow, in db: Database) throws {
    let horizon = try horizon(of: swarm, in: db).head
    guard revision > horizon else { throw JournalError.trimmed(horizon: horizon) }
    let head = try tail(of: swarm, in: db).head
    let last = max(head, try CheckpointRows.newestRevision(of: swarm, in: db) ?? 0)
    guard revision <= last else {
      throw JournalError.invalid("there is no entry \(revision); the journal ends at revision \(last)")
    }
  }

  private static func row(at revision: Revision, of swarm: SwarmRow, in db: Database) throws -> EntryRow? {
    switch try EntryRow.examine(revision, of: swarm, in: db) {
    case .intact(let row), .damaged(let row, _, _): row
    case .missing: nil
    }
  }

  private static func time(of revision: Revision, _ swarm: SwarmRow, in db: Database) throws -> Int64? {
    try row(at: revision, of: swarm, in: db).flatMap { $0.isContentIntact ? $0.appendedAt : nil }
  }
}
