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

/// The difference that turns the newest checkpoint into the one at `revision`.
public struct CheckpointUpdate: Sendable, Hashable {
  public let revision: Revision
  /// What belongs to the cut as a whole (journal time, chain hash, …); opaque to the engine.
  public let header: [UInt8]
  public let upserted: [CheckpointRecord]
  public let removed: [CheckpointRecord.Position]
  /// Whether the checkpoint that was the newest so far stays kept beside this one. The floor stays in any case.
  public let keepsPrevious: Bool

  public init(
    revision: Revision, header: [UInt8], upserted: [CheckpointRecord], removed: [CheckpointRecord.Position],
    keepsPrevious: Bool = false
  ) {
    self.revision = revision
    self.header = header
    self.upserted = upserted
    self.removed = removed
    self.keepsPrevious = keepsPrevious
  }
}

/// What stands at the head of a checkpoint.
public struct CheckpointHeader: Sendable, Hashable {
  public let revision: Revision
  public let header: [UInt8]

  public init(revision: Revision, header: [UInt8]) {
    self.revision = revision
    self.header = header
  }
}

/// Which checkpoints a journal keeps, by their revisions; every engine decides by these rules.
package struct KeptCheckpoints: Sendable, Hashable {
  /// The floor, a candidate for the next floor, and the newest. More would keep more versions of every record that
  /// changes often.
  package static let limit = 3

  /// Ascending.
  package private(set) var revisions: [Revision]
  /// The revision of the floor; 0 is the empty swarm, which is no checkpoint of the list.
  package private(set) var floor: Revision

  package init(revisions: [Revision] = [], floor: Revision = 0) {
    self.revisions = revisions
    self.floor = floor
  }

  /// Makes `update` the newest checkpoint.
  ///
  /// - Returns: the checkpoint that is no longer kept, or that is replaced by one at the same revision.
  /// - Throws: `.invalid` for a checkpoint that goes back, that claims entries which are not there, or that would be
  ///   one too many.
  package mutating func save(_ update: CheckpointUpdate, head: Revision) throws(JournalError) -> Revision? {
    if let newest = revisions.last, update.revision < newest {
      throw .invalid("a checkpoint at revision \(update.revision) after one at revision \(newest)")
    }
    guard update.revision >= 0, update.revision <= head else {
      throw .invalid("a checkpoint at revision \(update.revision), but the journal ends at revision \(head)")
    }
    var dropped: Revision?
    if let newest = revisions.last {
      let isFloor = floor > 0 && newest == floor
      if newest == update.revision || !(update.keepsPrevious || isFloor) { dropped = revisions.removeLast() }
    }
    guard revisions.count < KeptCheckpoints.limit else {
      throw .invalid("\(KeptCheckpoints.limit) checkpoints are kept already; trim to one of them first")
    }
    revisions.append(update.revision)
    return dropped
  }

  /// Makes the checkpoint at `revision` the floor.
  ///
  /// - Returns: whether that changes anything.
  /// - Throws: `.invalid` if no such checkpoint is kept.
  package mutating func trim(to revision: Revision) throws(JournalError) -> Bool {
    guard revision != floor else { return false }
    guard revision > 0, revisions.contains(revision) else {
      throw .invalid("no checkpoint at revision \(revision) is kept, so the journal cannot be trimmed to it")
    }
    floor = revision
    revisions.removeAll { $0 < revision }
    return true
  }

  /// Drops the checkpoints that hold the effects of an entry that was skipped.
  ///
  /// The newest one stays while it stands beyond the `head`: it alone says that entries are missing there, whose
  /// revisions must not be given again.
  package mutating func skip(_ revision: Revision, head: Revision) {
    let newest = revisions.last
    revisions.removeAll { $0 >= revision && !($0 == newest && $0 > head) }
  }

  /// - Throws: `.invalid` if no checkpoint is kept at `revision`, except for 0, which is the empty swarm.
  package func check(_ revision: Revision) throws(JournalError) {
    guard revision == 0 || revisions.contains(revision) else {
      throw .invalid("no checkpoint at revision \(revision) is kept")
    }
  }
}
