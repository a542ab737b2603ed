public import MoaiFlow

extension SQLiteStore {
  /// Pages are written in transactions of at most 4,096 rows or 8 MiB, in turn with the appends to other swarms, into a
  /// swarm that gets its name with the last one. A crash leaves rows that the next opening removes.
  public func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal {
    let order = try RestoreOrder(checkpoint: checkpoint?.header)
    let draft = try await file.writer().change {
      [newEpoch = sources.newEpoch, floor = checkpoint?.header] transaction in
      try SwarmRows.requireFree(swarm, in: transaction.db)
      let draft = try SwarmRows.draft(swarm, floor: floor?.revision ?? 0, newEpoch: newEpoch, in: transaction.db)
      if let floor { try CheckpointRows.insert(floor, of: draft, in: transaction.db) }
      return draft
    }
    do {
      try await fill(draft, checkpoint: checkpoint, entries: entries, order: order)
      try await file.writer().change { try SwarmRows.publish(draft, in: $0.db) }
    } catch {
      try? await file.writer().change { transaction in
        try SwarmRows.discard(draft, in: transaction.db)
        transaction.forget(draft)
      }
      try? await file.removeDiscarded()
      throw error
    }
    return SQLiteJournal(swarm: draft, file: file)
  }

  private func fill(
    _ draft: SwarmRow, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>, order: RestoreOrder
  ) async throws(JournalError) {
    var order = order
    if let checkpoint {
      while true {
        let page = try await checkpoint.records.next()
        guard !page.isEmpty else { break }
        try order.take(page)
        for part in page.parts(size: \.bytes.count) {
          let update = CheckpointUpdate(
            revision: checkpoint.header.revision, header: [], upserted: Array(part), removed: [])
          try await file.writer().change { try RecordRows.apply(update, of: draft, below: nil, in: $0.db) }
        }
      }
    }
    while true {
      let page = try await entries.next()
      guard !page.isEmpty else { return }
      try order.take(page)
      for entry in page { try EntryRows.checkSize(entry.payload) }
      for part in page.parts(size: \.payload.count) {
        try await file.writer().change { transaction in
          var tail = try transaction.tail(of: draft)
          try EntryRows.insert(
            part.lazy.map { ($0.appendedAt, $0.payload) }, of: draft, after: &tail, in: transaction.db)
          transaction.setTail(tail, of: draft)
        }
      }
    }
  }
}

extension Array {
  /// Parts that fit into a transaction, of at least one element.
  fileprivate func parts(size: (Element) -> Int) -> [ArraySlice<Element>] {
    var parts: [ArraySlice<Element>] = []
    var (start, bytes) = (startIndex, 0)
    for index in indices {
      bytes += size(self[index])
      guard
        index > start,
        index - start >= CommitQueue.largestTransaction.entries || bytes > CommitQueue.largestTransaction.bytes
      else { continue }
      parts.append(self[start..<index])
      (start, bytes) = (index, size(self[index]))
    }
    parts.append(self[start...])
    return parts
  }
}
