import Foundation
import GRDB
import MoaiFlow
import Synchronization

/// An open file with its lock and its writer, shared by a store and its journals. The last of them to go closes it.
final class OpenFile: Sendable {
  let path: String
  let reader: any DatabaseReader
  private let commitQueue: CommitQueue?
  private let lock: FolderLock?
  private let isClosed = Atomic(false)

  private init(path: String, reader: any DatabaseReader, commitQueue: CommitQueue?, lock: FolderLock?) {
    self.path = path
    self.reader = reader
    self.commitQueue = commitQueue
    self.lock = lock
  }

  var isReadOnly: Bool { commitQueue == nil }

  static func writing(folder: String, sources: SQLiteStore.Sources) throws(JournalError) -> OpenFile {
    try DataFolder.make(folder)
    let lock = try FolderLock(folder: folder, now: sources.now())
    let file = DatabaseFile(folder: folder)
    let pool = try file.openForWriting(newEpoch: sources.newEpoch)
    let commitQueue = CommitQueue(pool: pool, path: file.path, now: sources.now)
    return OpenFile(path: file.path, reader: pool, commitQueue: commitQueue, lock: lock)
  }

  static func reading(folder: String) throws(JournalError) -> OpenFile {
    let file = DatabaseFile(folder: folder)
    return OpenFile(path: file.path, reader: try file.openForReading(), commitQueue: nil, lock: nil)
  }

  /// - Throws: `.readOnly` if the file was opened for reading.
  func writer() throws(JournalError) -> CommitQueue {
    if isClosed.load(ordering: .acquiring) { throw .closed }
    guard let commitQueue else { throw .readOnly(path) }
    return commitQueue
  }

  /// Reads in one snapshot, beside the writer.
  func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(JournalError) -> Value {
    if isClosed.load(ordering: .acquiring) { throw .closed }
    try await commitQueue?.settle()
    return try await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Value, JournalError>, Never>) in
      reader.asyncRead { db in
        let outcome = Result { try body(try db.get()) }
        continuation.resume(
          returning: outcome.mapError { error in
            self.isClosed.load(ordering: .acquiring) ? .closed : JournalError(error, path: self.path)
          })
      }
    }.get()
  }

  /// Removes what deleted and half restored swarms left behind.
  func removeDiscarded() async throws(JournalError) {
    while try await writer().change({ try Discarded.removeSome(in: $0.db) }) {}
  }

  func knownHead(of swarm: SwarmRow) throws(JournalError) -> Revision? {
    if isClosed.load(ordering: .acquiring) { throw .closed }
    return commitQueue?.knownHead(of: swarm)
  }

  func close() async throws(JournalError) {
    guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
    await commitQueue?.close()
    try await onThread { [self] () throws(JournalError) in
      defer { lock?.release() }
      do {
        // The last connection to close moves the log into the file and removes it, which a reader cannot do.
        (reader as? DatabasePool)?.releaseMemory()
        try reader.close()
      } catch {
        throw JournalError(error, path: path)
      }
    }
  }
}
