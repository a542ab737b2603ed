import Synchronization

/// A journal in memory. Appends are in the log when the call returns and are gone with the store.
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
      guard revision >= content.kept.floor else { throw .trimmed(horizon: content.kept.floor) }
      guard revision < content.head else { return [] }
      var page: [JournalEntry] = []
      var bytes = 0
      for entry in content.entries[Int(revision - content.kept.floor)...] {
        bytes += entry.payload.count
        guard page.isEmpty || (page.count < entryLimit && bytes <= byteLimit) else { break }
        if let damaged = content.damage[entry.revision] {
          throw .corrupt(revision: entry.revision, damaged.problem)
        }
        page.append(entry)
      }
      return page
    }
  }

  public func head() async throws(JournalError) -> Revision {
    try withContent { content throws(JournalError) in content.head }
  }

  public func horizon() async throws(JournalError) -> Revision {
    try withContent { content throws(JournalError) in content.kept.floor }
  }

  public func save(_ checkpoint: CheckpointUpdate) async throws(JournalError) {
    try withContent { content throws(JournalError) in
      var records = content.checkpoints.last?.records ?? [:]
      let dropped = try content.kept.save(checkpoint, head: content.head)
      if let dropped { content.checkpoints.removeAll { $0.header.revision == dropped } }
      for position in checkpoint.removed { records[position] = nil }
      for record in checkpoint.upserted { records[record.position] = record.bytes }
      let header = CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header)
      content.checkpoints.append(InMemoryCheckpoint(header: header, records: records))
    }
  }

  public func checkpoint() async throws(JournalError) -> CheckpointHeader? {
    try withContent { content throws(JournalError) in content.checkpoints.last?.header }
  }

  public func checkpoints() async throws(JournalError) -> [CheckpointHeader] {
    try withContent { content throws(JournalError) in content.checkpoints.map(\.header) }
  }

  public func checkpointRecords(
    of revision: Revision, after position: CheckpointRecord.Position?, limit: Int
  ) async throws(JournalError) -> [CheckpointRecord] {
    try withContent { content throws(JournalError) in
      try content.kept.check(revision)
      guard let index = content.checkpoints.firstIndex(where: { $0.header.revision == revision }) else { return [] }
      return content.checkpoints[index].page(after: position, limit: limit)
    }
  }

  public func trim(to floor: Revision) async throws(JournalError) {
    try withContent { content throws(JournalError) in
      let horizon = content.kept.floor
      guard try content.kept.trim(to: floor) else { return }
      content.entries.removeFirst(Int(floor - horizon))
      content.checkpoints.removeAll { $0.header.revision < floor }
      content.damage = content.damage.filter { $0.key > floor }
    }
  }

  public func damagedEntry(at revision: Revision) async throws(JournalError) -> DamagedEntry? {
    try withContent { content throws(JournalError) in
      _ = try content.index(of: revision)
      return content.damage[revision]
    }
  }

  public func skip(
    _ revision: Revision, replacement payload: [UInt8], evenIfIntact: Bool
  ) async throws(JournalError) {
    try withContent { content throws(JournalError) in
      let index = try content.index(of: revision)
      if content.damage[revision - 1]?.payload == nil, content.damage[revision - 1] != nil {
        throw .invalid("entry \(revision - 1) is missing; skip that one first")
      }
      guard evenIfIntact || content.damage[revision] != nil else {
        throw .invalid("entry \(revision) is intact, so it is not skipped")
      }
      let neighbours = [revision - 1, revision + 1].filter { content.damage[$0] == nil }
      let times = neighbours.compactMap { try? content.index(of: $0) }.map { content.entries[$0].appendedAt }
      content.entries[index] = JournalEntry(
        revision: revision, appendedAt: times.first ?? source.now(), payload: payload)
      content.damage[revision] = nil
      content.kept.skip(revision, head: content.head)
      content.checkpoints.removeAll { !content.kept.revisions.contains($0.header.revision) }
    }
  }

  /// Damages the entry at `revision`, or loses it, for tests of what comes after.
  package func damage(_ revision: Revision, isMissing: Bool) throws(JournalError) {
    try withContent { content throws(JournalError) in
      let entry = content.entries[try content.index(of: revision)]
      content.damage[revision] = DamagedEntry(
        revision: revision, appendedAt: isMissing ? nil : entry.appendedAt,
        payload: isMissing ? nil : entry.payload + [0xFF], problem: isMissing ? "it is missing" : "it is damaged")
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

/// One swarm's log and checkpoints.
final class InMemoryLog: Sendable {
  struct Content {
    /// Entry `revision` stands at `revision - kept.floor - 1`.
    var entries: [JournalEntry]
    var kept = KeptCheckpoints()
    /// One for each of `kept`, in the same order.
    var checkpoints: [InMemoryCheckpoint] = []
    /// Entries that a test damaged.
    var damage: [Revision: DamagedEntry] = [:]
    var isDeleted = false

    func index(of revision: Revision) throws(JournalError) -> Int {
      guard revision > kept.floor else { throw .trimmed(horizon: kept.floor) }
      guard revision <= head else {
        throw .invalid("there is no entry \(revision); the journal ends at revision \(head)")
      }
      return Int(revision - kept.floor - 1)
    }

    var head: Revision { kept.floor + Revision(entries.count) }
  }

  let swarm: SwarmName
  let epoch: Epoch
  let content: Mutex<Content>

  init(swarm: SwarmName, epoch: Epoch, floor: InMemoryCheckpoint? = nil, entries: [JournalEntry] = []) {
    self.swarm = swarm
    self.epoch = epoch
    var content = Content(entries: entries)
    if let floor {
      content.kept = KeptCheckpoints(revisions: [floor.header.revision], floor: floor.header.revision)
      content.checkpoints = [floor]
    }
    self.content = Mutex(content)
  }
}

/// A checkpoint with all its records; keeping two costs twice the records, which an engine for tests can afford.
struct InMemoryCheckpoint: Sendable {
  let header: CheckpointHeader
  let records: [CheckpointRecord.Position: [UInt8]]
  /// The positions of `records` in order, made by the first reader.
  private var order: [CheckpointRecord.Position]?

  init(header: CheckpointHeader, records: [CheckpointRecord.Position: [UInt8]]) {
    self.header = header
    self.records = records
  }

  mutating func page(after position: CheckpointRecord.Position?, limit: Int) -> [CheckpointRecord] {
    let order = order ?? records.keys.sorted { $0.precedes($1) }
    self.order = order
    let start = position.map { position in order.partitioningIndex { position.precedes($0) } } ?? 0
    return order[start...].prefix(max(1, limit)).map { position in
      CheckpointRecord(table: position.table, id: position.id, bytes: records[position] ?? [])
    }
  }
}

extension CheckpointRecord.Position {
  /// The order of a checkpoint: by table, then by the bytes of the id.
  package func precedes(_ other: Self) -> Bool {
    table != other.table ? table < other.table : id.lexicographicallyPrecedes(other.id)
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
