import Foundation
package import GRDB
public import MoaiFlow
import Synchronization

/// The default engine: the journals of many swarms in one SQLite file, `swarms.sqlite`, in a folder of their own.
///
/// What an append returned is on the disk (WAL with `synchronous = FULL`); concurrent appends, also to different
/// swarms, share commits. One store at a time holds the folder. `docs/SQLite.md` describes the file and says what is
/// guaranteed under which failure.
///
///     let store = try await SQLiteStore(folder: "data")
///     let journal = try await store.open(.default)
public final class SQLiteStore: JournalStore {
  /// Where a store takes its time and its randomness from.
  public struct Sources: Sendable {
    /// Milliseconds since 1970.
    public var now: @Sendable () -> Int64
    /// Must not repeat: an epoch that comes twice is refused by the file.
    public var newEpoch: @Sendable () -> Epoch

    public init(now: @escaping @Sendable () -> Int64, newEpoch: @escaping @Sendable () -> Epoch) {
      self.now = now
      self.newEpoch = newEpoch
    }

    /// The machine's clock and random generator.
    public static let system = Sources(
      now: { Int64(Date().timeIntervalSince1970 * 1000) },
      newEpoch: { Epoch(UInt64.random(in: .min ... .max)) })
  }

  let file: OpenFile
  let sources: Sources

  /// Opens a folder, made if it is not there. A new folder gets the swarm `default`.
  ///
  /// - Throws: `.locked` naming the holder, `.readOnly`, `.notOurs` for another program's file or a newer version's,
  ///   `.damaged`, `.full`. A file that is refused is left as it was found.
  public init(folder: String, sources: Sources = .system) async throws(JournalError) {
    self.sources = sources
    self.file = try await onThread { () throws(JournalError) in
      try OpenFile.writing(folder: folder, sources: sources)
    }
    if try await file.read({ try Discarded.areThere(in: $0) }) {
      // Nobody waits for it; it ends at the latest when the store is closed.
      Task { [file] in try? await file.removeDiscarded() }
    }
  }

  /// Opens a folder that is there without writing into it or locking it, beside the store that may hold it. Every method
  /// that writes throws `.readOnly`.
  ///
  /// - Throws: `.notOurs` if the folder holds no file of ours.
  public init(readingFrom folder: String) async throws(JournalError) {
    self.sources = .system
    self.file = try await onThread { () throws(JournalError) in
      try OpenFile.reading(folder: folder)
    }
  }

  public func swarms() async throws(JournalError) -> [SwarmName] {
    let path = file.path
    return try await file.read { try SwarmRows.names(path: path, in: $0) }
  }

  public func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    let newEpoch = sources.newEpoch
    let row = try await file.writer().change { transaction in
      try SwarmRows.create(swarm, newEpoch: newEpoch, in: transaction.db)
    }
    return SQLiteJournal(swarm: row, file: file)
  }

  public func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal {
    let path = file.path
    let (row, hasLeftovers) = try await file.read { db in
      let row = try SwarmRows.find(swarm, path: path, in: db)
      _ = try CheckpointRows.kept(of: row, path: path, in: db)
      return (row, try Leftovers.areThere(of: row, in: db))
    }
    let journal = SQLiteJournal(swarm: row, file: file)
    if hasLeftovers, !file.isReadOnly {
      // Nobody waits for it; it ends at the latest when the store is closed.
      Task { try? await journal.removeLeftovers() }
    }
    return journal
  }

  public func delete(_ swarm: SwarmName) async throws(JournalError) {
    let path = file.path
    try await file.writer().change { transaction in
      let row = try SwarmRows.find(swarm, path: path, in: transaction.db)
      try SwarmRows.discard(row, in: transaction.db)
      transaction.forget(row)
    }
    // The swarm is gone; what cannot be removed now is removed later.
    try? await file.removeDiscarded()
  }

  /// Finishes what is queued, then closes the file and releases the folder. A second call does nothing.
  public func close() async throws(JournalError) {
    try await file.close()
  }

  /// SQLite's own check of the whole file: what is wrong with its pages and indexes, at most 100 findings, none if all is
  /// well. It reads everything; the entries' checksums are checked by reading them.
  public func integrityProblems() async throws(JournalError) -> [String] {
    try await file.read { db in
      try String.fetchAll(db, sql: "PRAGMA integrity_check(100)").filter { $0 != "ok" }
    }
  }

  /// The pool, for tests that damage the file or fill it up.
  package var pool: DatabasePool? { file.reader as? DatabasePool }
}

/// Runs blocking work outside the cooperative pool.
func onThread<Value: Sendable>(
  _ work: @escaping @Sendable () throws(JournalError) -> Value
) async throws(JournalError) -> Value {
  try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, JournalError>, Never>) in
    DispatchQueue.global().async {
      continuation.resume(returning: Result(catching: work))
    }
  }.get()
}
