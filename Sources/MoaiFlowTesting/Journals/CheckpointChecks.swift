import MoaiFlow

extension Check {
  /// Saving and reading checkpoints.
  static let checkpoint: [Check] = [
    Check("a checkpoint is the sum of its differences, also after reopening") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2], [3]])
      findings.expectEqual(try await journal.checkpoint(), nil, "the checkpoint of a new journal")
      findings.expectEqual(try await journal.checkpoints(), [], "the checkpoints of a new journal")
      findings.expectEqual(try await journal.checkpointRecords(of: 0, after: nil, limit: 9), [], "its records")

      var expected: [CheckpointRecord.Position: [UInt8]] = [:]
      for revision in Revision(0)...3 {
        let update = update(round: revision)
        try await journal.save(update)
        for position in update.removed { expected[position] = nil }
        for record in update.upserted { expected[record.position] = record.bytes }
        let header = CheckpointHeader(revision: revision, header: update.header)
        findings.expectEqual(try await journal.checkpoint(), header, "the header")
        findings.expectEqual(try await journal.checkpoints(), [header], "the kept checkpoints")
        findings.expectEqual(try await journal.allRecords(limit: 1_000), sorted(expected), "the sum at \(revision)")
      }
      for limit in [1, 2, 7, .max] {
        findings.expect(
          try await journal.allRecords(limit: limit) == sorted(expected), "pages of \(limit) add up to something else")
        findings.expect(
          try await journal.checkpointRecords(of: 3, after: nil, limit: limit).count <= limit, "a page exceeds \(limit)"
        )
      }
      let reopened = try await bench.reopen(bench.store)
      let again = try await reopened.open(.contract)
      findings.expectEqual(try await again.checkpoint()?.revision, 3, "the checkpoint's revision after reopening")
      findings.expect(try await again.allRecords(limit: 5) == sorted(expected), "the records differ after reopening")
      try await reopened.close()
    },

    Check("a checkpoint that goes back or ahead of the head is refused and changes nothing") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2]])
      let good = CheckpointUpdate(revision: 1, header: [1], upserted: [record(1, [1], [1])], removed: [])
      try await journal.save(good)
      for revision in [Revision(-1), 0, 3, .max] {
        let bad = CheckpointUpdate(
          revision: revision, header: [9], upserted: [record(9, [9], [9])], removed: [good.upserted[0].position])
        await findings.expectError("a checkpoint at \(revision) after 1 with head 2", \.isInvalid) {
          () async throws(JournalError) in
          try await journal.save(bad)
        }
      }
      findings.expectEqual(try await journal.checkpoint(), CheckpointHeader(revision: 1, header: [1]), "the header")
      findings.expectEqual(try await journal.allRecords(limit: 9), good.upserted, "the records")
      try await journal.save(CheckpointUpdate(revision: 1, header: [2], upserted: [], removed: []))
      findings.expectEqual(try await journal.checkpoint()?.header, [2], "the header saved again at the same revision")
    },

    Check("records stand in the order of table, then of the bytes of the id") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let inOrder = [
        record(0, [], []), record(0, [0], []), record(0, [0, 0], [1]), record(0, [1], []), record(0, [0x7F], []),
        record(0, [0x80], []), record(0, [0xFF], []), record(0, [0xFF, 0], []), record(1, [], [2]),
        record(127, [5], []), record(128, [4], []), record(255, [3], [3]),
      ]
      var shuffled = inOrder
      var random = SplitMix64(seed: 1)
      shuffled.shuffle(using: &random)
      try await journal.save(CheckpointUpdate(revision: 0, header: [], upserted: shuffled, removed: []))
      for limit in [1, 5, 100] {
        findings.expect(try await journal.allRecords(limit: limit) == inOrder, "pages of \(limit) are in another order")
      }
      // A position that is not there lies between its neighbours.
      let between = try await journal.checkpointRecords(of: 0, after: .init(table: 0, id: [0, 0, 5]), limit: 1)
      findings.expectEqual(between, [record(0, [1], [])], "what follows a position that is not there")
    },

    Check("removals come before upserts, and removing what is not there is no error") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let kept = record(1, [1], [1])
      try await journal.save(
        CheckpointUpdate(
          revision: 0, header: [], upserted: [kept], removed: [kept.position, .init(table: 2, id: [2])]))
      findings.expectEqual(try await journal.allRecords(limit: 9), [kept], "the records")
    },
  ]

  private static func record(_ table: UInt8, _ id: [UInt8], _ bytes: [UInt8]) -> CheckpointRecord {
    CheckpointRecord(table: table, id: id, bytes: bytes)
  }

  /// Every round writes 40 records, some new and some again, and removes some that earlier rounds wrote.
  private static func update(round: Revision) -> CheckpointUpdate {
    let base = UInt8(round) * 20
    return CheckpointUpdate(
      revision: round, header: Array("cut \(round)".utf8),
      upserted: (0..<40).map { record($0 % 3, [base + $0], Array(repeating: $0, count: Int(round) * 50)) },
      removed: round == 0 ? [] : (0..<10).map { .init(table: $0 % 3, id: [base - 20 + $0]) })
  }

  private static func sorted(_ records: [CheckpointRecord.Position: [UInt8]]) -> [CheckpointRecord] {
    records.keys.sorted(by: isBefore).map { record($0.table, $0.id, records[$0] ?? []) }
  }

  /// The order that the contract states, written without the engines' code.
  private static func isBefore(_ left: CheckpointRecord.Position, _ right: CheckpointRecord.Position) -> Bool {
    if left.table != right.table { return left.table < right.table }
    for (l, r) in zip(left.id, right.id) where l != r { return l < r }
    return left.id.count < right.id.count
  }
}

extension Journal {
  /// Every record of the checkpoint at `revision`, or of the newest one, page by page.
  func allRecords(of revision: Revision? = nil, limit: Int) async throws(JournalError) -> [CheckpointRecord] {
    let newest = try await checkpoint()?.revision ?? 0
    var records: [CheckpointRecord] = []
    while true {
      let page = try await checkpointRecords(of: revision ?? newest, after: records.last?.position, limit: limit)
      guard !page.isEmpty else { return records }
      records += page
      guard records.count <= 10_000 else { throw .failed("the checkpoint has no end") }
    }
  }
}
