import GRDB
import MoaiFlow

/// The rows of the table `swarm`.
///
/// A swarm that is being restored has a row under a name that no swarm can have, and gets its own name at the end. The
/// rows of a swarm that is no more are removed bit by bit (``Discarded``).
enum SwarmRows {
  /// In the order of the names' bytes, which is SQLite's own.
  static func names(path: String, in db: Database) throws -> [SwarmName] {
    try String.fetchAll(db, sql: "SELECT name FROM swarm WHERE name NOT GLOB '~*' ORDER BY name").map { name in
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

  /// - Throws: `.alreadyExists`.
  static func requireFree(_ name: SwarmName, in db: Database) throws {
    let isTaken = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM swarm WHERE name = ?)", arguments: [name.description])
    guard isTaken == false else { throw JournalError.alreadyExists(name) }
  }

  /// Makes a swarm whose first entry will follow on revision `floor`, not visible before ``publish(_:in:)``. Runs inside
  /// the caller's transaction.
  static func draft(
    _ name: SwarmName, floor: Revision = 0, newEpoch: () -> Epoch, in db: Database
  ) throws -> SwarmRow {
    let epoch = newEpoch()
    try db.execute(
      sql: "INSERT INTO swarm (name, epoch, horizon, horizonChecksum) VALUES (?, ?, 0, 0)",
      arguments: [draftName(epoch), Int64(bitPattern: epoch.rawValue)])
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

  /// Makes a draft a swarm.
  ///
  /// - Throws: `.alreadyExists`.
  static func publish(_ swarm: SwarmRow, in db: Database) throws {
    try requireFree(swarm.name, in: db)
    try db.execute(
      sql: "UPDATE swarm SET name = ? WHERE id = ?", arguments: [swarm.name.description, swarm.id])
  }

  /// Makes an empty swarm.
  ///
  /// - Throws: `.alreadyExists`.
  static func create(_ name: SwarmName, newEpoch: () -> Epoch, in db: Database) throws -> SwarmRow {
    try requireFree(name, in: db)
    let row = try draft(name, newEpoch: newEpoch, in: db)
    try publish(row, in: db)
    return row
  }

  /// Gives a swarm another epoch; everything else stays.
  static func renew(_ swarm: SwarmRow, epoch: Epoch, in db: Database) throws {
    let horizon = try EntryRows.horizon(of: swarm, in: db)
    try db.execute(
      sql: "UPDATE swarm SET epoch = ? WHERE id = ?", arguments: [Int64(bitPattern: epoch.rawValue), swarm.id])
    try setHorizon(horizon, of: SwarmRow(id: swarm.id, name: swarm.name, epoch: epoch), in: db)
  }

  /// Removes a swarm or a draft; what belongs to it is not visible any more.
  static func discard(_ swarm: SwarmRow, in db: Database) throws {
    try discard(id: swarm.id, in: db)
  }

  /// Removes what a crash left of swarms that were being restored.
  ///
  /// - Throws: `.damaged` naming `path` for a name that only damage can have made look like a draft's.
  static func discardDrafts(path: String, in db: Database) throws {
    for row in try Row.fetchAll(db, sql: "SELECT id, name, epoch FROM swarm WHERE name GLOB '~*'") {
      let name = row["name"] as String
      let epoch = Epoch(UInt64(bitPattern: row["epoch"]))
      guard name == draftName(epoch) else {
        throw JournalError.damaged("\(path): a swarm has the name \"\(name)\"")
      }
      try discard(id: row["id"], in: db)
    }
  }

  private static func draftName(_ epoch: Epoch) -> String { "~\(epoch)" }

  private static func discard(id: Int64, in db: Database) throws {
    try db.execute(sql: "INSERT OR IGNORE INTO discarded (swarm) VALUES (?)", arguments: [id])
    try db.execute(sql: "DELETE FROM swarm WHERE id = ?", arguments: [id])
  }

  static func checksum(of swarm: SwarmRow, horizon: Tail) -> UInt64 {
    var hash = StableHash(seed: swarm.epoch.rawValue)
    hash.combine(swarm.id)
    hash.combine(bytes: Array(swarm.name.description.utf8))
    hash.combine(horizon.head)
    hash.combine(horizon.link)
    return hash.finalize()
  }
}
