import GRDB
import MoaiFlow

/// The rows of the table `swarm`.
enum SwarmRows {
  /// In the order of the names' bytes, which is SQLite's own.
  static func names(path: String, in db: Database) throws -> [SwarmName] {
    try String.fetchAll(db, sql: "SELECT name FROM swarm ORDER BY name").map { name in
      do {
        return try SwarmName(name)
      } catch {
        throw JournalError.damaged("\(path): \(error)")
      }
    }
  }

  /// - Throws: `.noSuchSwarm`, or `.damaged` naming `path` if the row contradicts itself.
  static func find(_ name: SwarmName, path: String, in db: Database) throws -> SwarmRow {
    var found: (row: SwarmRow, isIntact: Bool)?
    let query = try RawStatement(
      db, "SELECT id, epoch, horizon, horizonChecksum, checksum FROM swarm WHERE name = ?")
    try query.query {
      try $0.bind(name.description, at: 1)
    } row: { row in
      let swarm = SwarmRow(id: row.int64(0), name: name, epoch: Epoch(UInt64(bitPattern: row.int64(1))))
      let horizon = Tail(head: row.int64(2), link: UInt64(bitPattern: row.int64(3)))
      found = (swarm, UInt64(bitPattern: row.int64(4)) == checksum(of: swarm, horizon: horizon))
      return false
    }
    guard let found else { throw JournalError.noSuchSwarm(name) }
    guard found.isIntact, (1...Place.largestSwarm).contains(found.row.id) else {
      throw JournalError.damaged("\(path): the row of swarm \"\(name)\" does not match its checksum")
    }
    return found.row
  }

  /// Makes a swarm whose first entry will follow on revision `floor`; runs inside the caller's transaction.
  ///
  /// - Throws: `.alreadyExists`.
  static func create(
    _ name: SwarmName, floor: Revision = 0, newEpoch: () -> Epoch, in db: Database
  ) throws -> SwarmRow {
    let isTaken = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM swarm WHERE name = ?)", arguments: [name.description])
    guard isTaken == false else { throw JournalError.alreadyExists(name) }
    let epoch = newEpoch()
    try db.execute(
      sql: "INSERT INTO swarm (name, epoch, horizon, horizonChecksum) VALUES (?, ?, 0, 0)",
      arguments: [name.description, Int64(bitPattern: epoch.rawValue)])
    guard db.lastInsertedRowID <= Place.largestSwarm else {
      throw JournalError.full("\(Place.largestSwarm) swarms were created, which is as many as fit")
    }
    let row = SwarmRow(id: db.lastInsertedRowID, name: name, epoch: epoch)
    try setHorizon(Tail(head: floor, link: EntryChecksum.root(of: epoch)), of: row, in: db)
    return row
  }

  /// Writes what the first kept entry follows on.
  static func setHorizon(_ horizon: Tail, of swarm: SwarmRow, in db: Database) throws {
    try db.execute(
      sql: "UPDATE swarm SET horizon = ?, horizonChecksum = ?, checksum = ? WHERE id = ?",
      arguments: [
        horizon.head, Int64(bitPattern: horizon.link),
        Int64(bitPattern: checksum(of: swarm, horizon: horizon)), swarm.id,
      ])
  }

  /// Removes a swarm with everything that belongs to it; runs inside the caller's transaction.
  static func delete(_ swarm: SwarmRow, in db: Database) throws {
    try db.execute(
      sql: "DELETE FROM entry WHERE place BETWEEN ? AND ?",
      arguments: [
        Place.of(swarm: swarm.id, revision: 0), Place.of(swarm: swarm.id, revision: Place.largestRevision),
      ])
    try db.execute(sql: "DELETE FROM seam WHERE swarm = ?", arguments: [swarm.id])
    try db.execute(sql: "DELETE FROM record WHERE swarm = ?", arguments: [swarm.id])
    try db.execute(sql: "DELETE FROM checkpoint WHERE swarm = ?", arguments: [swarm.id])
    try db.execute(sql: "DELETE FROM swarm WHERE id = ?", arguments: [swarm.id])
  }

  private static func checksum(of swarm: SwarmRow, horizon: Tail) -> UInt64 {
    var hash = StableHash(seed: swarm.epoch.rawValue)
    hash.combine(swarm.id)
    hash.combine(bytes: Array(swarm.name.description.utf8))
    hash.combine(horizon.head)
    hash.combine(horizon.link)
    return hash.finalize()
  }
}
