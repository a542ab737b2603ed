public import MoaiFlow

/// One swarm's journal in the file of an ``SQLiteStore``.
///
/// A lone append costs one fsync; appends that arrive while one is under way share the next. A batch is cut at 4,096
/// entries or 8 MiB. Reads run beside the writer and see whole commits. An entry may have 64 MiB.
public final class SQLiteJournal: Journal {
  private let swarm: SwarmRow
  private let file: OpenFile

  init(swarm: SwarmRow, file: OpenFile) {
    self.swarm = swarm
    self.file = file
  }

  public var epoch: Epoch { swarm.epoch }

  public func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    guard !entries.isEmpty else { throw .invalid("an append without entries") }
    for entry in entries { try EntryRows.checkSize(entry) }
    return try await file.writer().append(entries, to: swarm)
  }

  public func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry] {
    guard revision >= 0 else { throw .invalid("revision \(revision) is negative") }
    return try await file.read { [swarm] db in
      try EntryRows.page(of: swarm, after: revision, entryLimit: entryLimit, byteLimit: byteLimit, in: db)
    }
  }

  public func head() async throws(JournalError) -> Revision {
    if let known = try file.knownHead(of: swarm) { return known }
    return try await file.read { [swarm] db in try EntryRows.tail(of: swarm, in: db).head }
  }

  public func horizon() async throws(JournalError) -> Revision {
    try await file.read { [swarm] db in try EntryRows.horizon(of: swarm, in: db).head }
  }

  public func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    try await file.writer().change { [swarm] transaction in
      let head = try transaction.tail(of: swarm).head
      try CheckpointRows.save(checkpoint, of: swarm, head: head, in: transaction.db)
    }
  }

  public func checkpoint() async throws(JournalError) -> CheckpointHeader? {
    try await file.read { [swarm, path = file.path] db in
      _ = try EntryRows.horizon(of: swarm, in: db)
      return try CheckpointRows.header(of: swarm, path: path, in: db)
    }
  }

  public func checkpointRecords(
    after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    try await file.read { [swarm, path = file.path] db in
      _ = try EntryRows.horizon(of: swarm, in: db)
      return try CheckpointRows.page(of: swarm, after: position, limit: limit, path: path, in: db)
    }
  }
}
