/// Where one offline replica keeps itself: records by (table, id), changed in atomic and durable steps.
///
/// A seam as ``Journal`` is one: the replica decides what the records mean, the store that none is lost or half written.
/// A store conforms by passing `ReplicaStoreContract` in `MoaiFlowTesting`.
public protocol ReplicaStore: Sendable {
  /// Every record, in the order of (table, id bytes).
  ///
  /// - Throws: `.damaged` if some cannot be trusted.
  func load() async throws(JournalError) -> [StoredRecord]

  /// Makes all changes durable, or none. Calls apply in the order in which they are made.
  ///
  /// - Throws: `JournalError`. After `.uncertain` the changes may or may not be there; ``load()`` tells.
  func commit(_ changes: [StoredRecord]) async throws(JournalError)

  /// Releases files and locks. Calls made afterwards throw `.closed`.
  func close() async throws(JournalError)
}

/// A record, or in a change, with nil bytes, that it goes.
public struct StoredRecord: Sendable, Hashable {
  public let position: CheckpointRecord.Position
  public let bytes: [UInt8]?

  public init(_ position: CheckpointRecord.Position, _ bytes: [UInt8]?) {
    self.position = position
    self.bytes = bytes
  }
}
