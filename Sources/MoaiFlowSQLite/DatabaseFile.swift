import Foundation
import GRDB
import MoaiFlow

/// The SQLite file of a data folder: making it, telling it from other files, opening it with the right settings.
struct DatabaseFile {
  static let fileName = "swarms.sqlite"

  let folder: String
  let path: String
  /// Under this name the file is built, so that under its own name it is always whole.
  var draftPath: String { path + ".new" }
  private var logPath: String { path + "-wal" }

  /// The file of a data folder.
  init(folder: String) {
    self.folder = folder
    path = folder + "/" + DatabaseFile.fileName
  }

  /// A file of its own, as backups are.
  init(path: String) {
    let parent = (path as NSString).deletingLastPathComponent
    folder = parent.isEmpty ? "." : parent
    self.path = path
  }

  /// Opens the file for one writer and many readers; makes it, with the swarm `default`, if it is not there.
  ///
  /// A file that is refused is left as it was found.
  func openForWriting(newEpoch: () -> Epoch) throws(JournalError) -> DatabasePool {
    if FileManager.default.fileExists(atPath: path) {
      try FileHeader(path: path).check(path: path, isLogEmpty: isLogEmpty)
      guard access(path, W_OK) == 0 else { throw .readOnly(path) }
    } else {
      guard isLogEmpty else { throw .damaged("\(path) is missing, but its log \(logPath) is there") }
      try create(newEpoch: newEpoch)
    }
    return try mapping {
      let pool = try DatabasePool(path: path, configuration: configuration())
      try pool.writeWithoutTransaction { db in
        try requireDurableCommits(db)
        try migrate(db)
        try Backup.renewEpochs(newEpoch: newEpoch, path: path, in: db)
        try db.inTransaction(.immediate) {
          try SwarmRows.discardDrafts(path: path, in: db)
          return .commit
        }
        try checkSize(db)
      }
      return pool
    }
  }

  /// Opens the file without writing to it, beside the store that may hold it.
  func openForReading() throws(JournalError) -> any DatabaseReader {
    guard FileManager.default.fileExists(atPath: path) else { throw .notOurs("there is no \(path)") }
    try FileHeader(path: path).check(path: path, isLogEmpty: isLogEmpty)
    var configuration = configuration()
    configuration.readonly = true
    // Readers share an index of the log in a file. Where none can be made and the log is empty, the file is all there is.
    let canMakeIndex = access(folder, W_OK) == 0
    let isAlone = !canMakeIndex && isLogEmpty
    guard canMakeIndex || isLogEmpty || FileManager.default.fileExists(atPath: path + "-shm") else {
      throw .failed("\(logPath) holds entries and \(folder) cannot be written: copy the folder and read the copy")
    }
    return try mapping {
      let reader: any DatabaseReader =
        isAlone
        ? try DatabaseQueue(path: uri("immutable=1"), configuration: configuration)
        : try DatabasePool(path: path, configuration: configuration)
      try reader.read { db in
        guard try version(db) == Schema.version else {
          throw JournalError.notOurs("\(path) has an older version: open it for writing once to bring it up to date")
        }
      }
      return reader
    }
  }

  private func create(newEpoch: () -> Epoch) throws(JournalError) {
    try build { db in
      try db.inTransaction {
        try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
        try Schema.migrate(db, from: 0)
        _ = try SwarmRows.create(.default, newEpoch: newEpoch, in: db)
        return .commit
      }
    }
  }

  /// Builds the file under another name, syncs it and renames it. A failure leaves nothing, a crash a draft that the next
  /// attempt replaces.
  func build(_ fill: (Database) throws -> Void) throws(JournalError) {
    try removeDraft()
    do {
      let queue = try DatabaseQueue(path: draftPath, configuration: configuration())
      try queue.writeWithoutTransaction(fill)
      try queue.close()
      try DataFolder.sync(draftPath)
    } catch {
      try? removeDraft()
      throw JournalError(error, path: path)
    }
    guard rename(draftPath, path) == 0 else { throw JournalError(errno: errno, path: path) }
    try DataFolder.sync(folder)
  }

  private func removeDraft() throws(JournalError) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
      let leftover = draftPath + suffix
      guard unlink(leftover) == 0 || errno == ENOENT else { throw JournalError(errno: errno, path: leftover) }
    }
  }

  private func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = false
    // Other programs may look into the file, and a backup tool may hold it for a moment.
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 4
    // A transaction whose rollback failed is rolled back by the next one; GRDB would stop the process instead.
    configuration.allowsUnsafeTransactions = true
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
    }
    return configuration
  }

  /// The pool has set `synchronous` to NORMAL, with which a commit can be lost when the power fails.
  private func requireDurableCommits(_ db: Database) throws {
    try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA journal_size_limit = 67108864")
    let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
    let journalMode = try String.fetchOne(db, sql: "PRAGMA journal_mode")
    guard synchronous == 2, journalMode == "wal" else {
      throw JournalError.failed(
        "\(path): SQLite did not take synchronous = FULL with WAL, but \(synchronous ?? -1) with \(journalMode ?? "-")")
    }
  }

  private func migrate(_ db: Database) throws {
    let version = try version(db)
    guard version < Schema.version else { return }
    try db.inTransaction(.immediate) {
      try Schema.migrate(db, from: version)
      return .commit
    }
  }

  private func version(_ db: Database) throws -> Int32 {
    let version = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    guard version <= Schema.version else { throw FileHeader.newer(version: version, path: path) }
    return version
  }

  /// Moves what a crash left in the log into the file, and then looks whether the file is as long as it says.
  private func checkSize(_ db: Database) throws {
    do {
      _ = try db.checkpoint(.truncate)
    } catch let error as DatabaseError where [.SQLITE_FULL, .SQLITE_BUSY].contains(error.resultCode) {
      return
    }
    let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
    let pageSize = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
    let size = DatabaseFile.size(of: path)
    guard size >= pages * pageSize else {
      throw JournalError.damaged("\(path) is truncated: \(size) of \(pages * pageSize) bytes are there")
    }
  }

  private var isLogEmpty: Bool { DatabaseFile.size(of: logPath) == 0 }

  /// 0 if there is no such file.
  private static func size(of path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  private func uri(_ parameters: String) -> String {
    let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "/._-"))
    return "file:" + (path.addingPercentEncoding(withAllowedCharacters: allowed) ?? path) + "?" + parameters
  }

  private func mapping<Result>(_ body: () throws -> Result) throws(JournalError) -> Result {
    do {
      return try body()
    } catch {
      throw JournalError(error, path: path)
    }
  }
}
