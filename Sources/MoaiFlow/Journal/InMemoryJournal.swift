import Synchronization

/// A journal in memory. Appends are in the log when the call returns; entries are kept for as long as the store.
public final class InMemoryJournal: Journal {
  private let log: InMemoryLog
  private let door: InMemoryDoor
  private let source: InMemorySource

  init(log: InMemoryLog, door: InMemoryDoor, source: InMemorySource) {
    self.log = log
    self.door = door
    self.source = source
  }

  public var epoch: Epoch { log.epoch }

  public func append(_ entries: [[UInt8]]) async throws(JournalError) -> Appended {
    guard !entries.isEmpty else { throw .invalid("an append without entries") }
    return try withContent { content throws(JournalError) in
      let first = content.head + 1
      let appendedAt = source.now()
      let taken = entries.prefix(source.largestBatch)
      for payload in taken {
        content.entries.append(JournalEntry(revision: content.head + 1, appendedAt: appendedAt, payload: payload))
      }
      return Appended(firstRevision: first, count: taken.count, appendedAt: appendedAt)
    }
  }

  public func read(
    after revision: Revision, entryLimit: Int, byteLimit: Int
  ) async throws(JournalError) -> [JournalEntry] {
    guard revision >= 0 else { throw .invalid("revision \(revision) is negative") }
    return try withContent { content throws(JournalError) in
      guard revision < content.head else { return [] }
      var page: [JournalEntry] = []
      var bytes = 0
      for entry in content.entries[Int(revision)...] {
        bytes += entry.payload.count
        guard page.isEmpty || (page.count < entryLimit && bytes <= byteLimit) else { break }
        page.append(entry)
      }
      return page
    }
  }

  public func head() async throws(JournalError) -> Revision {
    try withContent { content throws(JournalError) in content.head }
  }

  public func horizon() async throws(JournalError) -> Revision {
    try withContent { _ throws(JournalError) in 0 }
  }

  public func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    try withContent { content throws(JournalError) in
      try checkpoint.checkRevision(previous: content.checkpoint?.revision, head: content.head)
      for position in checkpoint.removed { content.records[position] = nil }
      for record in checkpoint.upserted { content.records[record.position] = record.bytes }
      content.order = nil
      content.checkpoint = CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header)
    }
  }

  public func checkpoint() async throws(JournalError) -> CheckpointHeader? {
    try withContent { content throws(JournalError) in content.checkpoint }
  }

  public func checkpointRecords(
    after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    try withContent { content throws(JournalError) in
      let order = content.sortedPositions()
      let start = position.map { position in order.partitioningIndex { position.precedes($0) } } ?? 0
      return order[start...].prefix(max(1, limit)).map { position in
        CheckpointRecord(table: position.table, id: position.id, bytes: content.records[position] ?? [])
      }
    }
  }

  private func withContent<Result>(
    _ body: (inout sending InMemoryLog.Content) throws(JournalError) -> sending Result
  ) throws(JournalError) -> sending Result {
    try door.check()
    return try log.content.withLock { content throws(JournalError) in
      guard !content.isDeleted else { throw .noSuchSwarm(log.swarm) }
      return try body(&content)
    }
  }
}

/// One swarm's log and checkpoint.
final class InMemoryLog: Sendable {
  struct Content {
    /// Entry `revision` stands at `revision - 1`.
    var entries: [JournalEntry]
    var checkpoint: CheckpointHeader?
    var records: [CheckpointRecord.Position: [UInt8]] = [:]
    /// The positions of `records` in order, made by the first reader after a save.
    var order: [CheckpointRecord.Position]?
    var isDeleted = false

    var head: Revision { Revision(entries.count) }

    mutating func sortedPositions() -> [CheckpointRecord.Position] {
      if let order { return order }
      let sorted = records.keys.sorted { $0.precedes($1) }
      order = sorted
      return sorted
    }
  }

  let swarm: SwarmName
  let epoch: Epoch
  let content: Mutex<Content>

  init(swarm: SwarmName, epoch: Epoch, entries: [JournalEntry] = []) {
    self.swarm = swarm
    self.epoch = epoch
    self.content = Mutex(Content(entries: entries))
  }
}

extension CheckpointRecord.Position {
  /// The order of a checkpoint: by table, then by the bytes of the id.
  package func precedes(_ other: Self) -> Bool {
    table != other.table ? table < other.table : id.lexicographicallyPrecedes(other.id)
  }
}

extension CheckpointUpdate {
  /// Refuses a checkpoint that goes back, or that claims entries which are not there.
  package func checkRevision(previous: Revision?, head: Revision) throws(JournalError) {
    if let previous, revision < previous {
      throw .invalid("a checkpoint at revision \(revision) after one at revision \(previous)")
    }
    guard revision >= 0, revision <= head else {
      throw .invalid("a checkpoint at revision \(revision), but the journal ends at revision \(head)")
    }
  }
}

extension Array {
  /// The first index whose element satisfies `predicate`, in an array that is sorted so that all such come last.
  fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
