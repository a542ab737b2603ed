import Foundation
import GRDB
import MoaiFlow

/// Copies of a file, and the mark that tells them from the file itself.
///
/// A copy goes on under the revisions that the original gives too, to other entries. So the table `backup` of a copy has a
/// row, and whoever opens it for writing gives every swarm a new epoch first.
enum Backup {
  /// A step copies 1 MiB. The source is read in one transaction, so that what writers commit meanwhile is not seen.
  static let pagesPerStep: CInt = 256

  /// Copies everything that is committed into the empty file of `copy`, and marks it. `path` is the source's.
  static func copy(
    _ source: Database, at path: String, to copy: Database, takenAt: Int64,
    progress: @escaping (SQLiteBackup.Progress) throws -> Void
  ) throws {
    try source.backup(to: copy, pagesPerStep: pagesPerStep) { step in
      try progress(
        SQLiteBackup.Progress(pages: step.totalPageCount - step.remainingPageCount, ofPages: step.totalPageCount))
    }
    // The copy is one file; the mode was copied with it.
    try copy.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL")
    try copy.inTransaction(.immediate) {
      try SwarmRows.discardDrafts(path: path, in: copy)
      try copy.execute(sql: "DELETE FROM backup")
      try copy.execute(sql: "INSERT INTO backup (takenAt) VALUES (?)", arguments: [takenAt])
      return .commit
    }
  }

  /// Gives the swarms of a marked file new epochs, as one transaction; a file without a mark stays as it is.
  ///
  /// Checkpoints behind the floor hold hashes of the old epoch and go; what they hold is made again from the entries.
  static func renewEpochs(newEpoch: () -> Epoch, path: String, in db: Database) throws {
    let isMarked = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM backup)") ?? false
    guard isMarked else { return }
    try db.inTransaction(.immediate) {
      for name in try SwarmRows.names(path: path, in: db) {
        let swarm = try SwarmRows.find(name, path: path, in: db)
        let floor = try EntryRows.horizon(of: swarm, in: db).head
        try SwarmRows.renew(swarm, epoch: newEpoch(), in: db)
        try CheckpointRows.drop(allBut: floor > 0 ? [floor] : [], of: swarm, in: db)
        try RecordRows.removeVersions(of: swarm, after: floor > 0 ? floor : nil, in: db)
      }
      try db.execute(sql: "DELETE FROM backup")
      return .commit
    }
  }
}
