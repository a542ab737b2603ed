import GRDB
import MoaiFlow

/// The rows of swarms that are no more, removed bit by bit so that appends wait for one bit at most.
enum Discarded {
  /// The id of a swarm that is there is damage, and nothing is removed for it.
  private static let selection = "SELECT swarm FROM discarded WHERE swarm NOT IN (SELECT id FROM swarm)"

  static func areThere(in db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS (\(selection))") ?? false
  }

  /// Removes one bit; runs inside the caller's transaction.
  ///
  /// - Returns: whether there may be more.
  static func removeSome(in db: Database) throws -> Bool {
    guard let swarm = try Int64.fetchOne(db, sql: selection + " LIMIT 1") else { return false }
    if try Leftovers.removeEntries(ofSwarm: swarm, upTo: Place.largestRevision, in: db) { return true }
    try db.execute(
      sql: """
        DELETE FROM record WHERE swarm = ?1 AND (kind, id, revision) IN (
          SELECT kind, id, revision FROM record WHERE swarm = ?1 LIMIT ?2)
        """, arguments: [swarm, Leftovers.largestBit.records])
    if db.changesCount > 0 { return true }
    try db.execute(sql: "DELETE FROM seam WHERE swarm = ?", arguments: [swarm])
    try db.execute(sql: "DELETE FROM checkpoint WHERE swarm = ?", arguments: [swarm])
    try db.execute(sql: "DELETE FROM discarded WHERE swarm = ?", arguments: [swarm])
    return true
  }
}
