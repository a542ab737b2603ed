import MoaiFlow

extension Check {
  /// Going on without an entry, as far as it can be checked without damaging anything.
  static let skip: [Check] = [
    Check("an intact entry is not skipped, and one that was never there cannot be") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2], [3], [4]])
      try await journal.save(.small(at: 2))
      try await journal.trim(to: 2)
      for revision in [Revision(3), 4] {
        findings.expectEqual(try await journal.damagedEntry(at: revision), nil, "what is damaged at \(revision)")
        await findings.expectError("skipping intact entry \(revision)", \.isInvalid) { () async throws(JournalError) in
          try await journal.skip(revision, replacement: [9])
        }
      }
      await findings.expectError("skipping an entry past the end", \.isInvalid) { () async throws(JournalError) in
        try await journal.skip(5, replacement: [9], evenIfIntact: true)
      }
      await findings.expectError("asking for damage past the end", \.isInvalid) { () async throws(JournalError) in
        _ = try await journal.damagedEntry(at: 5)
      }
      for revision in [Revision(1), 2] {
        await findings.expectError("skipping trimmed entry \(revision)", { $0 == .trimmed(horizon: 2) }) {
          () async throws(JournalError) in try await journal.skip(revision, replacement: [9], evenIfIntact: true)
        }
      }
      findings.expectEqual(try await journal.readAll(after: 2).map(\.payload), [[3], [4]], "what is read")
    },

    Check("an entry that nobody can decode is replaced where it stands, and the checkpoints that hold it go") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll((1...8).map { [$0] })
      for revision in [Revision(2), 5, 7] { try await journal.save(.small(at: revision, keepsPrevious: true)) }
      let before = try await journal.readAll()
      try await journal.skip(5, replacement: [55], evenIfIntact: true)
      findings.expectEqual(try await journal.checkpoints().map(\.revision), [2], "the kept checkpoints")
      findings.expectEqual(try await journal.allRecords(limit: 9).map(\.bytes), [[2]], "the records")
      findings.expectEqual(try await journal.appendAll([[9]]), [9], "the next revision")
      try await journal.skip(9, replacement: [99], evenIfIntact: true)
      findings.expectEqual(try await journal.appendAll([[10]]), [10], "the revision after a skip at the end")
      try await journal.save(.small(at: 4))
      var store = bench.store
      for round in ["", " after reopening"] {
        let journal = try await store.open(.contract)
        let entries = try await journal.readAll(entryLimit: 3)
        findings.expectEqual(
          entries.map(\.payload), [[1], [2], [3], [4], [55], [6], [7], [8], [99], [10]], "what is read\(round)")
        findings.expect(
          entries.prefix(8).map(\.appendedAt) == before.map { $0.revision == 5 ? before[3].appendedAt : $0.appendedAt },
          "a time has changed, or the skipped entry has not the time of the one before it\(round)")
        findings.expectEqual(try await journal.checkpoints().map(\.revision), [4], "the kept checkpoints\(round)")
        if round.isEmpty { store = try await bench.reopen(store) }
      }
      // A trim to a skipped entry, and to the one behind it.
      let again = try await store.open(.contract)
      for floor in [Revision(5), 6] {
        try await again.save(.small(at: floor))
        try await again.trim(to: floor)
        findings.expectEqual(
          try await again.readAll(after: floor).first?.payload, [UInt8(floor) + 1], "what is read behind \(floor)")
      }
      try await store.close()
    },
  ]
}
