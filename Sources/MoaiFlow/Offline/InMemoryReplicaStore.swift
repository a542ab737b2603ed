import Synchronization

/// A replica's records in memory: the reference for stores, and for replicas that need not outlive their process.
public final class InMemoryReplicaStore: ReplicaStore {
  private struct Contents {
    var records: [CheckpointRecord.Position: [UInt8]] = [:]
    var isClosed = false
  }

  private let contents: Mutex<Contents>

  public init() {
    contents = Mutex(Contents())
  }

  /// A store that begins with what another one holds, as a copied folder does.
  public init(copying other: InMemoryReplicaStore) {
    let records = other.contents.withLock { $0.records }
    contents = Mutex(Contents(records: records))
  }

  public func load() async throws(JournalError) -> [StoredRecord] {
    let records = try open { $0.records }
    return records.map { StoredRecord($0.key, $0.value) }.sorted { $0.position < $1.position }
  }

  public func commit(_ changes: [StoredRecord]) async throws(JournalError) {
    try open { contents in
      for change in changes { contents.records[change.position] = change.bytes }
    }
  }

  public func close() async throws(JournalError) {
    contents.withLock { $0.isClosed = true }
  }

  private func open<Result>(_ body: (inout sending Contents) -> sending Result) throws(JournalError) -> Result {
    let result = contents.withLock { contents in contents.isClosed ? nil : body(&contents) }
    guard let result else { throw .closed }
    return result
  }
}

extension CheckpointRecord.Position: Comparable {
  public static func < (left: Self, right: Self) -> Bool {
    left.table == right.table ? left.id.lexicographicallyPrecedes(right.id) : left.table < right.table
  }
}
