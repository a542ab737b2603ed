import GRDB
import MoaiFlow

/// The rows of the table `seam`: entries that follow on a skipped one.
///
/// The link of such an entry fits the entry that was there before and cannot be checked any more. The seam's own
/// checksum holds the entry and its link together instead, so that the chain goes on from there unchanged.
enum SeamRows {
  static func checksum(of row: EntryRow) -> UInt64 {
    var hash = StableHash(seed: row.link)
    hash.combine(row.revision)
    hash.combine(row.checksum)
    return hash.finalize()
  }

  static func insert(for row: EntryRow, of swarm: SwarmRow, in db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO seam (swarm, revision, checksum) VALUES (?, ?, ?)",
      arguments: [swarm.id, row.revision, Int64(bitPattern: checksum(of: row))])
  }

  static func remove(at revision: Revision, of swarm: SwarmRow, in db: Database) throws {
    try db.execute(sql: "DELETE FROM seam WHERE swarm = ? AND revision = ?", arguments: [swarm.id, revision])
  }

  static func removeAll(of swarm: SwarmRow, upTo revision: Revision, in db: Database) throws {
    try db.execute(sql: "DELETE FROM seam WHERE swarm = ? AND revision <= ?", arguments: [swarm.id, revision])
  }

  static func seam(of swarm: SwarmRow, at revision: Revision, in db: Database) throws -> UInt64? {
    try seams(of: swarm, after: revision - 1, limit: 1, in: db)[revision]
  }

  /// All of them: every one was made by hand.
  static func seams(
    of swarm: SwarmRow, after revision: Revision, limit: Int64 = -1, in db: Database
  ) throws -> [Revision: UInt64] {
    var seams: [Revision: UInt64] = [:]
    let query = try RawStatement(
      db, "SELECT revision, checksum FROM seam WHERE swarm = ? AND revision > ? ORDER BY revision LIMIT ?")
    try query.query {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(revision, at: 2)
      try $0.bind(limit, at: 3)
    } row: { row in
      seams[row.int64(0)] = UInt64(bitPattern: row.int64(1))
      return true
    }
    return seams
  }
}
