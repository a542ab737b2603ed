import GRDB
import MoaiFlow

/// The rows of the table `checkpoint`: the heads of the kept checkpoints, each with a checksum of its own.
enum CheckpointRows {
  /// Writes the difference; runs inside the caller's transaction.
  static func save(
    _ update: CheckpointUpdate, of swarm: SwarmRow, head: Revision, path: String, in db: Database
  ) throws {
    var kept = try kept(of: swarm, path: path, in: db)
    if let dropped = try kept.save(update, head: head) {
      try drop(allBut: kept.revisions.filter { $0 != dropped }, of: swarm, in: db)
    }
    try RecordRows.apply(update, of: swarm, below: kept.revisions.dropLast().last, in: db)
    try insert(CheckpointHeader(revision: update.revision, header: update.header), of: swarm, in: db)
  }

  static func insert(_ header: CheckpointHeader, of swarm: SwarmRow, in db: Database) throws {
    let insert = try RawStatement(
      db, "INSERT INTO checkpoint (swarm, revision, checksum, header) VALUES (?, ?, ?, ?)")
    try insert.run {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(header.revision, at: 2)
      try $0.bind(Int64(bitPattern: checksum(of: header)), at: 3)
      try $0.bind(header.header, at: 4)
    }
  }

  /// In ascending order. At most three, so all are read.
  ///
  /// - Throws: `.damaged` naming `path`.
  static func headers(of swarm: SwarmRow, path: String, in db: Database) throws -> [CheckpointHeader] {
    var headers: [CheckpointHeader] = []
    let query = try RawStatement(
      db, "SELECT revision, checksum, header FROM checkpoint WHERE swarm = ? ORDER BY revision")
    try query.query {
      try $0.bind(swarm.id, at: 1)
    } row: { row in
      let header = CheckpointHeader(revision: row.int64(0), header: row.bytes(2))
      guard UInt64(bitPattern: row.int64(1)) == checksum(of: header) else {
        throw JournalError.damaged("\(path): a checkpoint of swarm \"\(swarm.name)\" does not match its checksum")
      }
      headers.append(header)
      return true
    }
    return headers
  }

  /// - Throws: `.noSuchSwarm`; `.damaged` naming `path`, also if the floor is missing.
  static func kept(of swarm: SwarmRow, path: String, in db: Database) throws -> KeptCheckpoints {
    let floor = try EntryRows.horizon(of: swarm, in: db).head
    let revisions = try headers(of: swarm, path: path, in: db).map(\.revision)
    guard floor == 0 || revisions.first == floor else {
      throw JournalError.damaged(
        "\(path): the checkpoint of swarm \"\(swarm.name)\" at its horizon, revision \(floor), is missing")
    }
    return KeptCheckpoints(revisions: revisions, floor: floor)
  }

  /// Looks at the revision only, for those who want to know whether there should be entries.
  static func newestRevision(of swarm: SwarmRow, in db: Database) throws -> Revision? {
    var newest: Revision?
    try RawStatement(db, "SELECT revision FROM checkpoint WHERE swarm = ? ORDER BY revision DESC LIMIT 1").query {
      try $0.bind(swarm.id, at: 1)
    } row: { row in
      newest = row.int64(0)
      return false
    }
    return newest
  }

  /// Drops the heads of those that are not kept.
  static func drop(allBut kept: [Revision], of swarm: SwarmRow, in db: Database) throws {
    try db.execute(
      sql:
        "DELETE FROM checkpoint WHERE swarm = ? AND revision NOT IN (\(kept.map(String.init).joined(separator: ", ")))",
      arguments: [swarm.id])
  }

  private static func checksum(of header: CheckpointHeader) -> UInt64 {
    var hash = StableHash()
    hash.combine(header.revision)
    hash.combine(bytes: header.header)
    return hash.finalize()
  }
}
