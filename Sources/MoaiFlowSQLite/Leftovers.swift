import GRDB
import MoaiFlow

/// What lies behind a swarm's horizon: not visible any more, and removed bit by bit so that appends wait for one bit at
/// most.
enum Leftovers {
  /// A bit is about 10 ms of work. More would make appends wait longer, less would sync more often for the same rows.
  static let largestBit = (entries: 2_000, bytes: 4 << 20, records: 1_000)

  static func areThere(of swarm: SwarmRow, in db: Database) throws -> Bool {
    let horizon = try EntryRows.horizon(of: swarm, in: db).head
    return try Bool.fetchOne(
      db,
      sql: """
        SELECT EXISTS (SELECT 1 FROM entry WHERE place BETWEEN ? AND ?)
          OR EXISTS (SELECT 1 FROM record WHERE swarm = ? AND revision <= ? AND hasOlder = 1)
        """,
      arguments: [
        Place.of(swarm: swarm.id, revision: 0), Place.of(swarm: swarm.id, revision: horizon), swarm.id, horizon,
      ]) ?? false
  }

  /// Removes one bit; runs inside the caller's transaction.
  ///
  /// - Returns: whether there may be more.
  static func removeSome(of swarm: SwarmRow, in db: Database) throws -> Bool {
    let horizon = try EntryRows.horizon(of: swarm, in: db).head
    if try removeEntries(ofSwarm: swarm.id, upTo: horizon, in: db) { return true }
    try SeamRows.removeAll(of: swarm, upTo: horizon, in: db)
    return try removeVersions(of: swarm, upTo: horizon, in: db)
  }

  static func removeEntries(ofSwarm swarm: Int64, upTo horizon: Revision, in db: Database) throws -> Bool {
    var last: Int64?
    var bytes = 0
    let query = try RawStatement(
      db, "SELECT place, length(payload) FROM entry WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?")
    try query.query {
      try $0.bind(Place.of(swarm: swarm, revision: 0), at: 1)
      try $0.bind(Place.of(swarm: swarm, revision: horizon), at: 2)
      try $0.bind(Int64(largestBit.entries), at: 3)
    } row: { row in
      last = row.int64(0)
      bytes += Int(row.int64(1))
      return bytes < largestBit.bytes
    }
    guard let last else { return false }
    try RawStatement(db, "DELETE FROM entry WHERE place BETWEEN ? AND ?").run {
      try $0.bind(Place.of(swarm: swarm, revision: 0), at: 1)
      try $0.bind(last, at: 2)
    }
    return true
  }

  /// Versions that a newer one at or behind the horizon hides, and the removals that then hide nothing.
  private static func removeVersions(of swarm: SwarmRow, upTo horizon: Revision, in db: Database) throws -> Bool {
    var hiding: [(kind: Int64, id: [UInt8], revision: Revision, isRemoved: Bool)] = []
    let query = try RawStatement(
      db,
      """
      SELECT kind, id, revision, bytes IS NULL FROM record WHERE swarm = ? AND revision <= ? AND hasOlder = 1 LIMIT ?
      """)
    try query.query {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(horizon, at: 2)
      try $0.bind(Int64(largestBit.records), at: 3)
    } row: { row in
      hiding.append((row.int64(0), row.bytes(1), row.int64(2), row.int64(3) != 0))
      return true
    }
    guard !hiding.isEmpty else { return false }
    let removeOlder = try RawStatement(
      db, "DELETE FROM record WHERE swarm = ? AND kind = ? AND id = ? AND revision < ?")
    let remove = try RawStatement(db, "DELETE FROM record WHERE swarm = ? AND kind = ? AND id = ? AND revision = ?")
    let settle = try RawStatement(
      db, "UPDATE record SET hasOlder = 0 WHERE swarm = ? AND kind = ? AND id = ? AND revision = ?")
    for version in hiding {
      for statement in [removeOlder, version.isRemoved ? remove : settle] {
        try statement.run {
          try $0.bind(swarm.id, at: 1)
          try $0.bind(version.kind, at: 2)
          try $0.bind(version.id, at: 3)
          try $0.bind(version.revision, at: 4)
        }
      }
    }
    return true
  }
}
