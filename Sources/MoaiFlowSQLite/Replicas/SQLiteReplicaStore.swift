import Foundation
package import GRDB
public import MoaiFlow

/// An offline replica in a folder of its own: one SQLite file, `replica.sqlite`.
///
/// What a commit returned is on the disk (`synchronous = FULL`), and every record carries a checksum that reading checks.
/// One store at a time holds the folder. A copy of the folder is another replica that says it is this one; the journal
/// notices when both write (rule §5.6).
public final class SQLiteReplicaStore: ReplicaStore {
  static let fileName = "replica.sqlite"
  /// "MoaR" in ASCII.
  static let applicationID: Int32 = 0x4D6F_6152
  static let version: Int32 = 1

  private let path: String
  private let queue: DatabaseQueue
  private let lock: FolderLock
  private let isClosed = ClosedFlag()

  /// Opens a folder, made if it is not there.
  ///
  /// - Throws: `.locked` naming the holder, `.readOnly`, `.notOurs` for another program's file or a newer version's,
  ///   `.damaged`, `.full`. A file that is refused is left as it was found.
  public init(folder: String, sources: SQLiteStore.Sources = .system) async throws(JournalError) {
    let opened = try await onThread { () throws(JournalError) in
      try DataFolder.make(folder)
      let lock = try FolderLock(folder: folder, now: sources.now())
      let path = folder + "/" + SQLiteReplicaStore.fileName
      return Opened(path: path, queue: try SQLiteReplicaStore.open(path), lock: lock)
    }
    path = opened.path
    queue = opened.queue
    lock = opened.lock
  }

  private struct Opened: Sendable {
    let path: String
    let queue: DatabaseQueue
    let lock: FolderLock
  }

  public func load() async throws(JournalError) -> [StoredRecord] {
    try await run(phase: .work) { [path] db in
      try Row.fetchAll(db, sql: "SELECT kind, id, bytes, checksum FROM record ORDER BY kind, id").map { row in
        let record = StoredRecord(.init(table: row[0], id: Array(row[1] as Data)), Array(row[2] as Data))
        guard record.checksum == row[3] as Int64 else {
          throw JournalError.damaged(
            "\(path): the record \(record.position) has another checksum than it was stored with")
        }
        return record
      }
    }
  }

  public func commit(_ changes: [StoredRecord]) async throws(JournalError) {
    guard !changes.isEmpty else { return try await run(phase: .work) { _ in } }
    try await run(phase: .commit) { db in
      try db.inTransaction(.immediate) {
        let insert = try db.cachedStatement(
          sql: "INSERT OR REPLACE INTO record (kind, id, bytes, checksum) VALUES (?, ?, ?, ?)")
        let delete = try db.cachedStatement(sql: "DELETE FROM record WHERE kind = ? AND id = ?")
        for change in changes {
          let (kind, id) = (Int64(change.position.table), Data(change.position.id))
          if let bytes = change.bytes {
            try insert.execute(arguments: [kind, id, Data(bytes), change.checksum])
          } else {
            try delete.execute(arguments: [kind, id])
          }
        }
        return .commit
      }
    }
  }

  public func close() async throws(JournalError) {
    guard isClosed.set() else { return }
    try await onThread { [path, queue, lock] () throws(JournalError) in
      defer { lock.release() }
      do { try queue.close() } catch { throw JournalError(error, path: path) }
    }
  }

  /// The queue, for tests that damage the file.
  package var database: DatabaseQueue { queue }

  private func run<Value: Sendable>(
    phase: TransactionPhase, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(JournalError) -> Value {
    if isClosed.isSet { throw .closed }
    return try await onThread { [path, queue] () throws(JournalError) in
      do {
        return try queue.writeWithoutTransaction(body)
      } catch {
        throw JournalError(error, path: path, phase: phase)
      }
    }
  }

  private static func open(_ path: String) throws(JournalError) -> DatabaseQueue {
    var configuration = Configuration()
    configuration.busyMode = .timeout(5)
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
    }
    do {
      if FileManager.default.fileExists(atPath: path) {
        guard access(path, W_OK) == 0 else { throw JournalError.readOnly(path) }
      }
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      try queue.writeWithoutTransaction { db in
        try prepare(db, path: path)
      }
      return queue
    } catch {
      throw JournalError(error, path: path)
    }
  }

  /// Tells the file from others, makes the table in a new one, and sets durable commits.
  private static func prepare(_ db: Database, path: String) throws {
    let isNew = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
    let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
    let found = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard isNew || application == applicationID else {
      throw JournalError.notOurs("\(path) belongs to another program (application id \(application))")
    }
    guard found <= version else {
      throw JournalError.notOurs(
        "\(path) has version \(found) of the format; this program reads up to version \(version)")
    }
    try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON")
    guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
      throw JournalError.failed("\(path): SQLite did not take synchronous = FULL")
    }
    guard isNew else { return }
    try db.inTransaction(.immediate) {
      try db.execute(
        sql: """
          CREATE TABLE record (
            kind INTEGER NOT NULL, id BLOB NOT NULL, bytes BLOB NOT NULL, checksum INTEGER NOT NULL,
            PRIMARY KEY (kind, id)
          ) STRICT, WITHOUT ROWID;
          PRAGMA application_id = \(applicationID);
          PRAGMA user_version = \(version);
          """)
      return .commit
    }
  }
}

extension StoredRecord {
  /// Of its place and its bytes.
  fileprivate var checksum: Int64 {
    var hash = StableHash(seed: UInt64(position.table))
    hash.combine(bytes: position.id)
    hash.combine(bytes: bytes ?? [])
    return Int64(bitPattern: hash.finalize())
  }
}
