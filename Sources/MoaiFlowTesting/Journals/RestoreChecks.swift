import MoaiFlow

extension Check {
  /// Making a swarm from a checkpoint and entries.
  static let restore: [Check] = [
    Check("a swarm restored from a checkpoint and entries has both, under a new epoch, also after reopening") {
      (bench, findings) throws(JournalError) in
      let source = try await bench.makeJournal()
      let header = CheckpointHeader(revision: 40, header: [4, 0])
      let records = (UInt8(0)..<100).map { CheckpointRecord(table: $0 / 10, id: [$0 % 10], bytes: [$0]) }
      let entries = (Revision(41)...90).map {
        JournalEntry(revision: $0, appendedAt: 1_000 - $0, payload: [UInt8($0)])
      }
      var store = bench.store
      let restored = try await store.restore(
        .other, checkpoint: RestoredCheckpoint(header, records: .cut(records, into: 7)), entries: .cut(entries, into: 9)
      )
      findings.expect(restored.epoch != source.epoch, "the epoch is another swarm's")
      for round in ["", " after reopening"] {
        let journal = try await store.open(.other)
        findings.expectEqual(journal.epoch, restored.epoch, "the epoch\(round)")
        findings.expectEqual(try await journal.horizon(), 40, "the horizon\(round)")
        findings.expectEqual(try await journal.checkpoints(), [header], "the checkpoints\(round)")
        findings.expect(try await journal.allRecords(limit: 30) == records, "the records differ\(round)")
        findings.expect(try await journal.readAll(after: 40) == entries, "the entries differ\(round)")
        if round.isEmpty { store = try await bench.reopen(store) }
      }
      let journal = try await store.open(.other)
      findings.expectEqual(try await journal.appendAll([[1]]), [91], "the next revision")
      try await journal.save(.small(at: 91))
      findings.expectEqual(try await journal.checkpoints().map(\.revision), [40, 91], "the checkpoints after a save")
      try await journal.trim(to: 91)
      findings.expectEqual(try await journal.horizon(), 91, "the horizon after a trim")
      try await store.close()
    },

    Check("a swarm can be restored from a checkpoint alone") { (bench, findings) throws(JournalError) in
      let header = CheckpointHeader(revision: 7, header: [])
      let journal = try await bench.store.restore(
        .contract, checkpoint: RestoredCheckpoint(header, records: Pages([])), entries: Pages([]))
      findings.expectEqual(try await journal.head(), 7, "the head")
      findings.expectEqual(try await journal.allRecords(limit: 9), [], "the records")
      findings.expectEqual(try await journal.appendAll([[1]]), [8], "the next revision")
    },

    Check("a restore that is refused, or whose input ends with an error, leaves no swarm") {
      (bench, findings) throws(JournalError) in
      let store = bench.store
      func refuse(
        _ what: String, revision: Revision?, records: Pages<CheckpointRecord> = Pages([]),
        entries: Pages<JournalEntry> = Pages([]), _ isExpected: (JournalError) -> Bool = { $0.isInvalid }
      ) async throws(JournalError) {
        let checkpoint = revision.map {
          RestoredCheckpoint(CheckpointHeader(revision: $0, header: []), records: records)
        }
        await findings.expectError(what, isExpected) { () async throws(JournalError) in
          _ = try await store.restore(.contract, checkpoint: checkpoint, entries: entries)
        }
        await findings.expectError("opening it after \(what)", { $0 == .noSuchSwarm(.contract) }) {
          () async throws(JournalError) in _ = try await store.open(.contract)
        }
        findings.expect(!(try await store.swarms()).contains(.contract), "it is listed after \(what)")
      }
      let entry = JournalEntry(revision: 5, appendedAt: 0, payload: [])
      let record = CheckpointRecord(table: 1, id: [1], bytes: [])
      try await refuse("a checkpoint at 0", revision: 0)
      try await refuse("a checkpoint at -1", revision: -1)
      try await refuse("a gap after the checkpoint", revision: 3, entries: Pages([entry]))
      try await refuse("an entry of the checkpoint's revision", revision: 5, entries: Pages([entry]))
      try await refuse("a gap between pages", revision: 4, entries: .cut([entry, entry], into: 1))
      try await refuse("a record that comes twice", revision: 4, records: Pages([record, record]))
      try await refuse(
        "a record that comes twice, in two pages", revision: 4, records: .cut([record, record], into: 1))
      let failure = JournalError.failed("the input ended")
      try await refuse(
        "an input that fails", revision: 4, entries: .cut([entry], into: 1, then: failure), { $0 == failure })
      try await refuse(
        "records that fail", revision: 4, records: .cut([record], into: 1, then: failure), { $0 == failure })
      let journal = try await store.create(.contract)
      findings.expectEqual(try await journal.checkpoints(), [], "the checkpoints of a swarm made afterwards")
      findings.expectEqual(try await journal.appendAll([[1]]), [1], "its first revision")
    },
  ]
}

extension Pages {
  /// Pages of `size` elements, then the end or an error.
  static func cut(_ elements: [Element], into size: Int, then failure: JournalError? = nil) -> Pages {
    let rest = Rest(elements)
    return Pages { () async throws(JournalError) in
      let page = await rest.take(size)
      if page.isEmpty, let failure { throw failure }
      return page
    }
  }
}

private actor Rest<Element: Sendable> {
  private var elements: ArraySlice<Element>

  init(_ elements: [Element]) {
    self.elements = elements[...]
  }

  func take(_ count: Int) -> [Element] {
    defer { elements = elements.dropFirst(count) }
    return Array(elements.prefix(count))
  }
}
