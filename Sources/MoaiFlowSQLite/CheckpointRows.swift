import GRDB
import MoaiFlow

/// The rows of the tables `checkpoint` and `record`, each with a checksum of its own.
enum CheckpointRows {
  /// Pages are cut here whatever the caller asks for, but hold at least one record.
  static let largestPage = (records: 65_536, bytes: 64 << 20)

  /// Writes the difference; runs inside the caller's transaction.
  static func save(_ update: CheckpointUpdate, of swarm: SwarmRow, head: Revision, in db: Database) throws {
    let previous = try header(of: swarm, path: "", isChecked: false, in: db)
    try update.checkRevision(previous: previous?.revision, head: head)

    let remove = try RawStatement(db, "DELETE FROM record WHERE swarm = ? AND kind = ? AND id = ?")
    for position in update.removed {
      try remove.run {
        try $0.bind(swarm.id, at: 1)
        try $0.bind(Int64(position.table), at: 2)
        try $0.bind(position.id, at: 3)
      }
    }
    let upsert = try RawStatement(
      db,
      """
      INSERT INTO record (swarm, kind, id, checksum, bytes) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET checksum = excluded.checksum, bytes = excluded.bytes
      """)
    for record in update.upserted {
      try upsert.run {
        try $0.bind(swarm.id, at: 1)
        try $0.bind(Int64(record.position.table), at: 2)
        try $0.bind(record.position.id, at: 3)
        try $0.bind(Int64(bitPattern: checksum(of: record)), at: 4)
        try $0.bind(record.bytes, at: 5)
      }
    }
    let header = try RawStatement(
      db,
      """
      INSERT INTO checkpoint (swarm, revision, checksum, header) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET revision = excluded.revision, checksum = excluded.checksum, header = excluded.header
      """)
    try header.run {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(update.revision, at: 2)
      try $0.bind(Int64(bitPattern: checksum(revision: update.revision, header: update.header)), at: 3)
      try $0.bind(update.header, at: 4)
    }
  }

  /// - Throws: `.damaged` naming `path`, unless the row is only looked at to be replaced.
  static func header(
    of swarm: SwarmRow, path: String, isChecked: Bool = true, in db: Database
  ) throws -> CheckpointHeader? {
    var found: CheckpointHeader?
    try RawStatement(db, "SELECT revision, checksum, header FROM checkpoint WHERE swarm = ?").query {
      try $0.bind(swarm.id, at: 1)
    } row: { row in
      let header = CheckpointHeader(revision: row.int64(0), header: row.bytes(2))
      let expected = checksum(revision: header.revision, header: header.header)
      guard !isChecked || UInt64(bitPattern: row.int64(1)) == expected else {
        throw JournalError.damaged("\(path): the checkpoint of swarm \"\(swarm.name)\" does not match its checksum")
      }
      found = header
      return false
    }
    return found
  }

  static func page(
    of swarm: SwarmRow, after position: CheckpointRecord.Position?, limit: Int, path: String, in db: Database
  ) throws -> [CheckpointRecord] {
    var page: [CheckpointRecord] = []
    var bytes = 0
    let query = try RawStatement(
      db,
      """
      SELECT kind, id, checksum, bytes FROM record WHERE swarm = ? AND (kind, id) > (?, ?)
      ORDER BY kind, id LIMIT ?
      """)
    try query.query {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(position.map { Int64($0.table) } ?? -1, at: 2)
      try $0.bind(position?.id ?? [], at: 3)
      try $0.bind(Int64(min(max(1, limit), largestPage.records)), at: 4)
    } row: { row in
      bytes += row.byteCount(3)
      guard page.isEmpty || bytes <= largestPage.bytes else { return false }
      guard let table = UInt8(exactly: row.int64(0)) else {
        throw JournalError.damaged("\(path): a checkpoint record of swarm \"\(swarm.name)\" is in no table")
      }
      let record = CheckpointRecord(table: table, id: row.bytes(1), bytes: row.bytes(3))
      guard UInt64(bitPattern: row.int64(2)) == checksum(of: record) else {
        throw JournalError.damaged(
          "\(path): a checkpoint record of swarm \"\(swarm.name)\" in table \(table) does not match its checksum")
      }
      page.append(record)
      return true
    }
    return page
  }

  private static func checksum(of record: CheckpointRecord) -> UInt64 {
    var hash = StableHash(seed: UInt64(record.position.table))
    hash.combine(bytes: record.position.id)
    hash.combine(bytes: record.bytes)
    return hash.finalize()
  }

  private static func checksum(revision: Revision, header: [UInt8]) -> UInt64 {
    var hash = StableHash()
    hash.combine(revision)
    hash.combine(bytes: header)
    return hash.finalize()
  }
}
