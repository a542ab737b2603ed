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
    return try await file.read { [swarm] db in try EntryRows.wholeTail(of: swarm, in: db).head }
  }

  public func horizon() async throws(JournalError) -> Revision {
    try await file.read { [swarm] db in try EntryRows.horizon(of: swarm, in: db).head }
  }

  public func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    try await file.writer().change { [swarm, path = file.path] transaction in
      let head = try transaction.tail(of: swarm).head
      try CheckpointRows.save(checkpoint, of: swarm, head: head, path: path, in: transaction.db)
    }
  }

  public func checkpoint() async throws(JournalError) -> CheckpointHeader? {
    try await checkpoints().last
  }

  public func checkpoints() async throws(JournalError) -> [CheckpointHeader] {
    try await file.read { [swarm, path = file.path] db in
      _ = try CheckpointRows.kept(of: swarm, path: path, in: db)
      _ = try EntryRows.wholeTail(of: swarm, in: db)
      return try CheckpointRows.headers(of: swarm, path: path, in: db)
    }
  }

  public func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    try await file.read { [swarm, path = file.path] db in
      let kept = try CheckpointRows.kept(of: swarm, path: path, in: db)
      try kept.check(revision)
      guard let newest = kept.revisions.last, revision >= kept.revisions[0] else { return [] }
      return try RecordRows.page(
        of: swarm, at: revision, newest: newest, after: position, limit: limit, path: path, in: db)
    }
  }

  public func trim(to floor: Revision) async throws(JournalError) {
    try await moveHorizon(to: floor)
    // The horizon has moved; what cannot be removed now is removed later.
    try? await removeLeftovers()
  }

  /// The first step of ``trim(to:)``.
  package func moveHorizon(to floor: Revision) async throws(JournalError) {
    try await file.writer().change { [swarm, path = file.path] transaction in
      try EntryRows.trim(swarm, to: floor, path: path, in: transaction.db)
    }
  }

  public func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry? {
    try await file.read { [swarm] db in try EntryRows.damagedEntry(at: revision, of: swarm, in: db) }
  }

  public func skip(
    _ revision: Revision, replacement payload: [UInt8], evenIfIntact: Bool
  ) async throws(JournalError) {
    try EntryRows.checkSize(payload)
    let writer = try file.writer()
    try await writer.change { [swarm, path = file.path, now = writer.now] transaction in
      try EntryRows.skip(
        revision, of: swarm, replacement: payload, evenIfIntact: evenIfIntact, now: now(), path: path,
        in: transaction.db)
      transaction.forget(swarm)
    }
  }

  /// Removes what a trim that was cut short left behind, for as long as the task is not cancelled.
  package func removeLeftovers() async throws(JournalError) {
    while !Task.isCancelled, try await removeSomeLeftovers() {}
  }

  /// One bit of ``removeLeftovers()``; returns whether there may be more.
  package func removeSomeLeftovers() async throws(JournalError) -> Bool {
    try await file.writer().change { [swarm] transaction in
      try Leftovers.removeSome(of: swarm, in: transaction.db)
    }
  }
}
