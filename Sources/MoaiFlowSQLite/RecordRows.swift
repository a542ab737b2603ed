import GRDB
import MoaiFlow

/// The rows of the table `record`: the records of all kept checkpoints, as versions.
///
/// A version belongs to the checkpoint of its revision and to every later one up to the record's next version. A version
/// without bytes says that the record was removed. So a checkpoint costs what changed since the one before.
enum RecordRows {
  /// Pages are cut here whatever the caller asks for, but hold at least one record.
  static let largestPage = (records: 65_536, bytes: 64 << 20)

  /// Writes the versions of `update`, with which those go that only a dropped checkpoint showed.
  ///
  /// - Parameter below: the kept checkpoint before this one; what it shows stays.
  static func apply(_ update: CheckpointUpdate, of swarm: SwarmRow, below: Revision?, in db: Database) throws {
    let writer = try VersionWriter(swarm: swarm, revision: update.revision, below: below, in: db)
    for position in update.removed.sorted(by: { $0.precedes($1) }) { try writer.write(nil, at: position) }
    // In the order of the rows: each page is read and written once, whatever the order of the changes was.
    for record in update.upserted.sorted(by: { $0.position.precedes($1.position) }) {
      try writer.write(record.bytes, at: record.position)
    }
  }

  /// The records that the checkpoint at `revision` shows; `newest` is the newest one's revision.
  ///
  /// - Throws: `.damaged` naming `path`.
  static func page(
    of swarm: SwarmRow, at revision: Revision, newest: Revision, after position: CheckpointRecord.Position?, limit: Int,
    path: String, in db: Database
  ) throws -> [CheckpointRecord] {
    let limit = min(max(1, limit), largestPage.records)
    var page: [CheckpointRecord] = []
    var bytes = 0
    /// The newest version of the record at hand that the checkpoint shows.
    var shown: CheckpointRecord?
    /// Whether there is room for `shown` and more.
    func take() -> Bool {
      guard let record = shown else { return true }
      shown = nil
      bytes += record.bytes.count
      guard page.isEmpty || bytes <= largestPage.bytes else { return false }
      page.append(record)
      return page.count < limit
    }

    var current: CheckpointRecord.Position?
    var isFull = false
    let query = try RawStatement(
      db,
      """
      SELECT kind, id, revision, checksum, bytes FROM record WHERE swarm = ? AND (kind, id) > (?, ?)
      ORDER BY kind, id, revision
      """)
    try query.query {
      try $0.bind(swarm.id, at: 1)
      try $0.bind(position.map { Int64($0.table) } ?? -1, at: 2)
      try $0.bind(position?.id ?? [], at: 3)
    } row: { row in
      guard let table = UInt8(exactly: row.int64(0)) else {
        throw JournalError.damaged("\(path): a checkpoint record of swarm \"\(swarm.name)\" is in no table")
      }
      let record = CheckpointRecord(table: table, id: row.bytes(1), bytes: row.bytes(4))
      let version = row.int64(2)
      guard
        version <= newest,
        UInt64(bitPattern: row.int64(3)) == checksum(of: record, revision: version, isRemoved: row.isNull(4))
      else {
        throw JournalError.damaged(
          "\(path): a checkpoint record of swarm \"\(swarm.name)\" in table \(table) does not match its checksum")
      }
      if record.position != current {
        isFull = !take()
        guard !isFull else { return false }
        current = record.position
      }
      if version <= revision { shown = row.isNull(4) ? nil : record }
      return true
    }
    if !isFull { _ = take() }
    return page
  }

  /// Removes what only checkpoints after `revision` showed. Looks at every row of the swarm.
  static func removeVersions(of swarm: SwarmRow, after revision: Revision?, in db: Database) throws {
    try db.execute(
      sql: "DELETE FROM record WHERE swarm = ? AND revision > ?", arguments: [swarm.id, revision ?? -1])
  }

  fileprivate static func checksum(of record: CheckpointRecord, revision: Revision, isRemoved: Bool) -> UInt64 {
    var hash = StableHash(seed: UInt64(record.position.table))
    hash.combine(revision)
    hash.combine(isRemoved ? 1 : 0 as UInt64)
    hash.combine(bytes: record.position.id)
    hash.combine(bytes: record.bytes)
    return hash.finalize()
  }
}

/// Writes the versions of one checkpoint.
private struct VersionWriter {
  private let swarm: SwarmRow
  private let revision: Revision
  private let below: Revision?
  private let removeUnshown: RawStatement
  private let findOlder: RawStatement
  private let insert: RawStatement

  init(swarm: SwarmRow, revision: Revision, below: Revision?, in db: Database) throws {
    self.swarm = swarm
    self.revision = revision
    self.below = below
    removeUnshown = try RawStatement(
      db, "DELETE FROM record WHERE swarm = ? AND kind = ? AND id = ? AND revision > ?")
    findOlder = try RawStatement(
      db, "SELECT 1 FROM record WHERE swarm = ? AND kind = ? AND id = ? AND revision <= ? LIMIT 1")
    insert = try RawStatement(
      db, "INSERT INTO record (swarm, kind, id, revision, hasOlder, checksum, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)")
  }

  /// - Parameter bytes: nil removes the record.
  func write(_ bytes: [UInt8]?, at position: CheckpointRecord.Position) throws {
    try removeUnshown.run { try bind(position, revision: below ?? -1, to: $0) }
    var hasOlder = false
    if let below {
      try findOlder.query {
        try bind(position, revision: below, to: $0)
      } row: { _ in
        hasOlder = true
        return false
      }
    }
    // Where nothing is shown, nothing has to be hidden.
    guard bytes != nil || hasOlder else { return }
    let record = CheckpointRecord(table: position.table, id: position.id, bytes: bytes ?? [])
    try insert.run {
      try bind(position, revision: revision, to: $0)
      try $0.bind(hasOlder ? 1 : 0, at: 5)
      let checksum = RecordRows.checksum(of: record, revision: revision, isRemoved: bytes == nil)
      try $0.bind(Int64(bitPattern: checksum), at: 6)
      if let bytes { try $0.bind(bytes, at: 7) }
    }
  }

  private func bind(
    _ position: CheckpointRecord.Position, revision: Revision, to statement: borrowing RawStatement
  ) throws {
    try statement.bind(swarm.id, at: 1)
    try statement.bind(Int64(position.table), at: 2)
    try statement.bind(position.id, at: 3)
    try statement.bind(revision, at: 4)
  }
}
