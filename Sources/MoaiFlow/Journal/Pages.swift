/// Elements in their order, a page at a time, so that nobody has to hold all of them.
public struct Pages<Element: Sendable>: Sendable {
  /// The next page; an empty one is the end. Called by one task at a time.
  public let next: @Sendable () async throws(JournalError) -> [Element]

  public init(next: @escaping @Sendable () async throws(JournalError) -> [Element]) {
    self.next = next
  }

  /// All of `elements` as one page.
  public init(_ elements: [Element]) {
    let isTaken = OneTime()
    self.init { () async throws(JournalError) in isTaken.isFirst() ? elements : [] }
  }
}

extension Pages {
  /// Everything, for engines that hold it anyway.
  package func all() async throws(JournalError) -> [Element] {
    var all: [Element] = []
    while true {
      let page = try await next()
      guard !page.isEmpty else { return all }
      all += page
    }
  }
}

/// A floor checkpoint that a swarm is restored from.
public struct RestoredCheckpoint: Sendable {
  public let header: CheckpointHeader
  /// In the order of (table, id bytes), each position once.
  public let records: Pages<CheckpointRecord>

  public init(_ header: CheckpointHeader, records: Pages<CheckpointRecord>) {
    self.header = header
    self.records = records
  }
}

/// What a restore checks while it takes page after page.
package struct RestoreOrder: Sendable {
  private var revision: Revision
  private var position: CheckpointRecord.Position?

  /// - Throws: `.invalid` for a checkpoint of nothing.
  package init(checkpoint: CheckpointHeader?) throws(JournalError) {
    if let checkpoint, checkpoint.revision <= 0 {
      throw .invalid("a checkpoint at revision \(checkpoint.revision) is no floor to restore from")
    }
    revision = checkpoint?.revision ?? 0
  }

  package mutating func take(_ entries: [JournalEntry]) throws(JournalError) {
    for entry in entries {
      guard entry.revision - 1 == revision else {
        throw .invalid("revision \(entry.revision) stands where revision \(revision + 1) is expected")
      }
      revision = entry.revision
    }
  }

  package mutating func take(_ records: [CheckpointRecord]) throws(JournalError) {
    for record in records {
      if let position, !position.precedes(record.position) {
        throw .invalid("the records of the checkpoint are not in the order of their table and id")
      }
      position = record.position
    }
  }
}
