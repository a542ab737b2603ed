import MoaiFlow

extension Check {
  /// Many swarms in one store.
  static let store: [Check] = [
    Check("swarms in a store do not see each other") { (bench, findings) throws(JournalError) in
      let one = try await bench.makeJournal()
      let two = try await bench.makeJournal(.other)
      for number in UInt8(0)..<20 {
        _ = try await one.appendAll([[1, number]])
        if number % 2 == 0 { _ = try await two.appendAll([[2, number], [2, number]]) }
      }
      try await one.save(
        CheckpointUpdate(
          revision: 1, header: [1], upserted: [CheckpointRecord(table: 1, id: [1], bytes: [1])], removed: []))
      let (first, second) = (try await one.readAll(), try await two.readAll())
      findings.expectEqual(first.map(\.revision), Array(1...20), "the first swarm's revisions")
      findings.expectEqual(second.map(\.revision), Array(1...20), "the second swarm's revisions")
      findings.expect(first.allSatisfy { $0.payload.first == 1 }, "the first swarm holds the second's entries")
      findings.expect(second.allSatisfy { $0.payload.first == 2 }, "the second swarm holds the first's entries")
      findings.expectEqual(try await two.checkpoint(), nil, "the second swarm's checkpoint")
      findings.expectEqual(try await two.allRecords(limit: 9), [], "the second swarm's records")
      findings.expect(one.epoch != two.epoch, "two swarms have one epoch")

      try await bench.store.delete(.contract)
      findings.expectEqual(try await two.readAll(), second, "the second swarm after the first was deleted")
    },

    Check("swarms are listed in the order of their names' bytes") { (bench, findings) throws(JournalError) in
      let before = try await bench.store.swarms()
      _ = try await bench.makeJournal(.other)
      _ = try await bench.makeJournal()
      let expected = (before + [.contract, .other]).sorted()
      findings.expectEqual(try await bench.store.swarms(), expected, "the list")
      let reopened = try await bench.reopen(bench.store)
      findings.expectEqual(try await reopened.swarms(), expected, "the list after reopening")
      try await reopened.delete(.other)
      findings.expectEqual(try await reopened.swarms(), expected.filter { $0 != .other }, "the list after a deletion")
      try await reopened.close()
    },

    Check("a swarm is created once, and opened, deleted and written only while it is there") {
      (bench, findings) throws(JournalError) in
      let store = bench.store
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1]])
      await findings.expectError("creating it again", { $0 == .alreadyExists(.contract) }) {
        () async throws(JournalError) in _ = try await store.create(.contract)
      }
      await findings.expectError("restoring over it", { $0 == .alreadyExists(.contract) }) {
        () async throws(JournalError) in _ = try await store.restore(.contract, entries: [])
      }
      findings.expectEqual(try await journal.head(), 1, "the head after refused creations")
      await findings.expectError("opening what is not there", { $0 == .noSuchSwarm(.other) }) {
        () async throws(JournalError) in _ = try await store.open(.other)
      }
      await findings.expectError("deleting what is not there", { $0 == .noSuchSwarm(.other) }) {
        () async throws(JournalError) in try await store.delete(.other)
      }
      try await store.delete(.contract)
      await findings.expectError("appending to a deleted swarm", { $0 == .noSuchSwarm(.contract) }) {
        () async throws(JournalError) in _ = try await journal.append([[2]])
      }
      await findings.expectError("reading a deleted swarm", { $0 == .noSuchSwarm(.contract) }) {
        () async throws(JournalError) in _ = try await journal.read(after: 0, entryLimit: 9, byteLimit: 9)
      }
      await findings.expectError("asking a deleted swarm's head", { $0 == .noSuchSwarm(.contract) }) {
        () async throws(JournalError) in _ = try await journal.head()
      }
    },

    Check("opening a swarm twice gives journals over one log") { (bench, findings) throws(JournalError) in
      let one = try await bench.makeJournal()
      let two = try await bench.store.open(.contract)
      findings.expectEqual(one.epoch, two.epoch, "the second journal's epoch")
      findings.expectEqual(try await one.appendAll([[1]]), [1], "the first revision")
      findings.expectEqual(try await two.appendAll([[2]]), [2], "the second revision")
      findings.expectEqual(try await one.readAll().map(\.payload), [[1], [2]], "what is read")
    },

    Check("a deleted swarm's epoch does not return, nor do its entries and records") {
      (bench, findings) throws(JournalError) in
      var epochs: Set<Epoch> = []
      for round in 1...3 {
        let journal = try await bench.makeJournal()
        findings.expectEqual(try await journal.head(), 0, "the head in round \(round)")
        findings.expectEqual(try await journal.checkpoint(), nil, "the checkpoint in round \(round)")
        findings.expectEqual(try await journal.allRecords(limit: 9), [], "the records in round \(round)")
        findings.expect(epochs.insert(journal.epoch).inserted, "the epoch of round \(round) is an old one")
        findings.expectEqual(try await journal.appendAll([[1], [2]]), [1, 2], "the revisions in round \(round)")
        try await journal.save(
          CheckpointUpdate(
            revision: 2, header: [], upserted: [CheckpointRecord(table: 1, id: [1], bytes: [1])], removed: []))
        try await bench.store.delete(.contract)
      }
    },

    Check("a restored journal has the entries' revisions and times under a new epoch") {
      (bench, findings) throws(JournalError) in
      let source = try await bench.makeJournal()
      let entries = (1...Revision(100)).map {
        JournalEntry(revision: $0, appendedAt: 1_000_000 - $0, payload: [UInt8($0)])
      }
      let restored = try await bench.store.restore(.other, entries: entries)
      findings.expect(restored.epoch != source.epoch, "the epoch is another swarm's")
      findings.expectEqual(try await restored.readAll(), entries, "what is read")
      findings.expectEqual(try await restored.head(), 100, "the head")
      findings.expectEqual(try await restored.appendAll([[1]]), [101], "the next revision")
      let reopened = try await bench.reopen(bench.store)
      let again = try await reopened.open(.other)
      findings.expectEqual(Array(try await again.readAll().prefix(100)), entries, "what is read after reopening")
      try await reopened.close()
    },

    Check("a restore is all or nothing: entries out of order leave no swarm") {
      (bench, findings) throws(JournalError) in
      let store = bench.store
      for revisions in [[Revision(1), 3], [2, 3], [1, 1], [2, 1], [0, 1], [1, 2, 3, 5]] {
        let entries = revisions.map { JournalEntry(revision: $0, appendedAt: 0, payload: []) }
        await findings.expectError("restoring revisions \(revisions)", \.isInvalid) { () async throws(JournalError) in
          _ = try await store.restore(.contract, entries: entries)
        }
        await findings.expectError("opening it afterwards", { $0 == .noSuchSwarm(.contract) }) {
          () async throws(JournalError) in _ = try await store.open(.contract)
        }
      }
    },

    Check("a closed store answers every call with `closed`") { (bench, findings) throws(JournalError) in
      let store = bench.store
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1]])
      try await store.close()
      let calls: [(String, @Sendable () async throws(JournalError) -> Void)] = [
        ("append", { () async throws(JournalError) in _ = try await journal.append([[2]]) }),
        (
          "read", { () async throws(JournalError) in _ = try await journal.read(after: 0, entryLimit: 1, byteLimit: 1) }
        ),
        ("head", { () async throws(JournalError) in _ = try await journal.head() }),
        ("horizon", { () async throws(JournalError) in _ = try await journal.horizon() }),
        (
          "save",
          { () async throws(JournalError) in
            try await journal.save(CheckpointUpdate(revision: 1, header: [], upserted: [], removed: []))
          }
        ),
        ("checkpoint", { () async throws(JournalError) in _ = try await journal.checkpoint() }),
        (
          "checkpointRecords",
          { () async throws(JournalError) in _ = try await journal.checkpointRecords(of: 1, after: nil, limit: 1) }
        ),
        ("checkpoints", { () async throws(JournalError) in _ = try await journal.checkpoints() }),
        ("trim", { () async throws(JournalError) in try await journal.trim(to: 0) }),
        ("damagedEntry", { () async throws(JournalError) in _ = try await journal.damagedEntry(at: 1) }),
        ("skip", { () async throws(JournalError) in try await journal.skip(1, replacement: []) }),
        ("swarms", { () async throws(JournalError) in _ = try await store.swarms() }),
        ("create", { () async throws(JournalError) in _ = try await store.create(.other) }),
        ("open", { () async throws(JournalError) in _ = try await store.open(.contract) }),
        ("delete", { () async throws(JournalError) in try await store.delete(.contract) }),
        ("restore", { () async throws(JournalError) in _ = try await store.restore(.other, entries: []) }),
      ]
      for (name, call) in calls { await findings.expectError(name, \.isClosed, call) }
    },
  ]
}
