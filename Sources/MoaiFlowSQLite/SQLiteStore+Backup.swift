import Foundation
import GRDB
public import MoaiFlow

/// A copy of a whole store that was made while it was in use.
public struct SQLiteBackup: Sendable, Hashable {
  /// How far a copy has come.
  public struct Progress: Sendable, Hashable {
    public let pages: Int
    public let ofPages: Int
  }

  public let path: String
  public let bytes: Int64
  /// The swarms in it, with the revision up to which each is there.
  public let swarms: [SwarmName: Revision]
}

extension SQLiteStore: BackupStore {
  public func writeBackup(to path: String) async throws(JournalError) {
    _ = try await backup(to: path)
  }

  /// Copies everything committed so far into one file at `path`, while writers go on.
  ///
  /// Every append that returned before this was called is in it. The file appears when it is whole and durable; a failure
  /// leaves none. While the copy is made, commits stay in the log (`-wal`), which grows by what is written meanwhile. A
  /// cancelled task ends it.
  ///
  /// The copy carries a mark: opened for writing, all its swarms get new epochs (``restore(backup:to:sources:)``).
  ///
  /// - Parameters:
  ///   - path: a file that is not there, or a folder, made if its parent is there, that gets a `swarms.sqlite` and can be opened as
  ///     a store. A path that ends in `/` is a folder.
  ///   - progress: called after every mebibyte.
  /// - Throws: `.invalid` if there is such a file already, `.full`, `.readOnly`; what was there stays as it was.
  public func backup(
    to path: String, progress: @escaping @Sendable (SQLiteBackup.Progress) -> Void = { _ in }
  ) async throws(JournalError) -> SQLiteBackup {
    let target = try DatabaseFile(backupAt: path, makesFolder: true)
    guard !FileManager.default.fileExists(atPath: target.path) else {
      throw .invalid("\(target.path) is there already; a backup replaces nothing")
    }
    let (takenAt, origin) = (sources.now(), file.path)
    let cancellation = Cancellation()
    let outcome = await withTaskCancellationHandler {
      () async -> Result<SQLiteBackup, JournalError> in
      do throws(JournalError) {
        return .success(
          try await file.read { source in
            try target.build { copy in
              try Backup.copy(source, at: origin, to: copy, takenAt: takenAt) { step in
                try cancellation.check()
                progress(step)
              }
            }
            return try SQLiteBackup(of: source, at: target.path)
          })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      cancellation.request()
    }
    return try outcome.get()
  }

  /// Makes a data folder out of a backup. Every swarm in it has a new epoch: revisions that were given after the backup was
  /// made will be given again, to other entries.
  ///
  /// All or nothing: until it is whole the folder holds no swarms, and an attempt that was cut short is simply repeated.
  ///
  /// - Parameters:
  ///   - backup: the file, or the folder that holds it.
  ///   - folder: made if it is not there; it must hold no swarms yet.
  /// - Throws: `.invalid` if the folder holds swarms, `.notOurs` or `.damaged` if the backup is none or not whole.
  public static func restore(
    backup: String, to folder: String, sources: Sources = .system
  ) async throws(JournalError) {
    try await onThread { () throws(JournalError) in
      let origin = try DatabaseFile(backupAt: backup, makesFolder: false)
      try DataFolder.make(folder)
      let lock = try FolderLock(folder: folder, now: sources.now())
      defer { lock.release() }
      let target = DatabaseFile(folder: folder)
      guard !FileManager.default.fileExists(atPath: target.path) else {
        throw .invalid("\(folder) holds swarms already; restore into another folder")
      }
      let reader = try origin.openForReading()
      defer { try? reader.close() }
      do {
        try reader.read { source in
          try target.build { copy in
            try Backup.copy(source, at: origin.path, to: copy, takenAt: sources.now()) { _ in }
            let problems = try String.fetchAll(copy, sql: "PRAGMA quick_check(1)").filter { $0 != "ok" }
            if let problem = problems.first { throw JournalError.damaged("\(origin.path) is damaged: \(problem)") }
            try Backup.renewEpochs(newEpoch: sources.newEpoch, path: origin.path, in: copy)
          }
        }
      } catch {
        throw JournalError(error, path: origin.path)
      }
    }
  }
}

extension SQLiteBackup {
  fileprivate init(of source: Database, at path: String) throws {
    self.path = path
    bytes = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64) ?? 0
    var swarms: [SwarmName: Revision] = [:]
    for name in try SwarmRows.names(path: path, in: source) {
      swarms[name] = try EntryRows.tail(of: SwarmRows.find(name, path: path, in: source), in: source).head
    }
    self.swarms = swarms
  }
}

extension DatabaseFile {
  /// The file that `path` stands for: itself, or the one in that folder.
  fileprivate init(backupAt path: String, makesFolder: Bool) throws(JournalError) {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard exists && isFolder.boolValue || !exists && path.hasSuffix("/") else {
      self.init(path: path)
      return
    }
    if makesFolder { try DataFolder.make(path) }
    self.init(folder: path.hasSuffix("/") ? String(path.dropLast()) : path)
  }
}
