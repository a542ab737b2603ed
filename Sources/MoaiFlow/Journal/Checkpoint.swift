/// One record of a checkpoint: opaque bytes under (table, id).
public struct CheckpointRecord: Sendable, Hashable {
  /// Where a record stands in the order of a checkpoint.
  public struct Position: Sendable, Hashable {
    public let table: UInt8
    public let id: [UInt8]

    public init(table: UInt8, id: [UInt8]) {
      self.table = table
      self.id = id
    }
  }

  public let position: Position
  public let bytes: [UInt8]

  public init(table: UInt8, id: [UInt8], bytes: [UInt8]) {
    self.position = Position(table: table, id: id)
    self.bytes = bytes
  }
}

/// The difference that turns the previous checkpoint into the one at `revision`.
public struct CheckpointUpdate: Sendable, Hashable {
  public let revision: Revision
  /// What belongs to the cut as a whole (journal time, chain hash, …); opaque to the engine.
  public let header: [UInt8]
  public let upserted: [CheckpointRecord]
  public let removed: [CheckpointRecord.Position]

  public init(
    revision: Revision, header: [UInt8], upserted: [CheckpointRecord], removed: [CheckpointRecord.Position]
  ) {
    self.revision = revision
    self.header = header
    self.upserted = upserted
    self.removed = removed
  }
}

/// What stands at the head of the newest checkpoint.
public struct CheckpointHeader: Sendable, Hashable {
  public let revision: Revision
  public let header: [UInt8]

  public init(revision: Revision, header: [UInt8]) {
    self.revision = revision
    self.header = header
  }
}
