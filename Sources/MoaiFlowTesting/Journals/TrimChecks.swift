import MoaiFlow

extension Check {
  /// Keeping several checkpoints, and letting go of what lies behind the oldest.
  static let trim: [Check] = [
    Check("kept checkpoints and what is trimmed are what a model that copies everything says") {
      (bench, findings) throws(JournalError) in
      for seed in 1...6 as ClosedRange<UInt64> {
        let name: SwarmName = seed % 2 == 0 ? .contract : .other
        var run = TrimRun(journal: try await bench.store.create(name), random: SplitMix64(seed: seed))
        for _ in 0..<60 { try await run.step(&findings) }
        try await bench.store.delete(name)
        guard findings.texts.isEmpty else { return }
      }
    },

    Check("what was trimmed stays trimmed after reopening, and the rest is there") {
      (bench, findings) throws(JournalError) in
      var run = TrimRun(journal: try await bench.makeJournal(), random: SplitMix64(seed: 99))
      for _ in 0..<40 { try await run.step(&findings) }
      let reopened = try await bench.reopen(bench.store)
      run.journal = try await reopened.open(.contract)
      try await run.compare(&findings)
      for _ in 0..<20 { try await run.step(&findings) }
      try await reopened.close()
    },

    Check("a trim goes to a kept checkpoint or is refused and changes nothing") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2], [3], [4]])
      try await journal.trim(to: 0)
      for (revision, keepsPrevious) in [(1, false), (2, true), (3, false)] {
        try await journal.save(.small(at: Revision(revision), keepsPrevious: keepsPrevious))
      }
      // 2 was replaced by 3; 1 stayed beside it.
      for revision in [Revision(-1), 2, 4, 5, .max] {
        await findings.expectError("a trim to \(revision)", \.isInvalid) { () async throws(JournalError) in
          try await journal.trim(to: revision)
        }
        await findings.expectError("the records of \(revision)", \.isInvalid) { () async throws(JournalError) in
          _ = try await journal.checkpointRecords(of: revision, after: nil, limit: 9)
        }
      }
      findings.expectEqual(try await journal.checkpoints().map(\.revision), [1, 3], "the kept checkpoints")
      findings.expectEqual(try await journal.horizon(), 0, "the horizon")
      try await journal.trim(to: 3)
      try await journal.trim(to: 3)
      for revision in [Revision(0), 1] {
        await findings.expectError("a trim to \(revision) after one to 3", \.isInvalid) {
          () async throws(JournalError) in try await journal.trim(to: revision)
        }
      }
      findings.expectEqual(try await journal.horizon(), 3, "the horizon after a trim")
      findings.expectEqual(try await journal.readAll(after: 3).map(\.payload), [[4]], "what is read")
    },

    Check("a journal trimmed to its end goes on, and a swarm made again under its name starts anew") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2], [3]])
      try await journal.save(.small(at: 3))
      try await journal.trim(to: 3)
      findings.expectEqual(try await journal.head(), 3, "the head")
      findings.expectEqual(try await journal.readAll(after: 3), [], "what is read")
      findings.expectEqual(try await journal.appendAll([[4]]), [4], "the next revision")
      let reopened = try await bench.reopen(bench.store)
      let again = try await reopened.open(.contract)
      findings.expectEqual(try await again.head(), 4, "the head after reopening")
      findings.expectEqual(try await again.readAll(after: 3).map(\.payload), [[4]], "what is read after reopening")
      try await reopened.delete(.contract)
      let new = try await reopened.create(.contract)
      findings.expectEqual(try await new.horizon(), 0, "the new swarm's horizon")
      findings.expectEqual(try await new.checkpoints(), [], "the new swarm's checkpoints")
      findings.expectEqual(try await new.appendAll([[9]]), [1], "the new swarm's first revision")
      try await reopened.close()
    },

    Check("no more checkpoints are kept than three, and one too many is refused and changes nothing") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll([[1], [2], [3], [4]])
      for revision in Revision(1)...3 { try await journal.save(.small(at: revision, keepsPrevious: true)) }
      await findings.expectError("a fourth checkpoint", \.isInvalid) { () async throws(JournalError) in
        try await journal.save(.small(at: 4, keepsPrevious: true))
      }
      findings.expectEqual(try await journal.checkpoints().map(\.revision), [1, 2, 3], "the kept checkpoints")
      findings.expectEqual(try await journal.allRecords(limit: 9).map(\.bytes), [[3]], "the newest one's records")
      try await journal.save(.small(at: 4))
      findings.expectEqual(try await journal.checkpoints().map(\.revision), [1, 2, 4], "the kept checkpoints")
    },

    Check("appends go on while a trim is under way, and none is lost") { (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll((0..<5_000).map { [UInt8(truncatingIfNeeded: $0)] })
      try await journal.save(.small(at: 5_000))
      let outcomes = await withTaskGroup(of: Result<[Revision: [UInt8]], JournalError>.self) { group in
        for writer in UInt8(0)..<4 {
          group.addTask {
            await Result { () async throws(JournalError) in
              var mine: [Revision: [UInt8]] = [:]
              for number in UInt8(0)..<20 {
                for revision in try await journal.appendAll([[writer, number]]) { mine[revision] = [writer, number] }
              }
              return mine
            }
          }
        }
        group.addTask {
          await Result { () async throws(JournalError) in
            try await journal.trim(to: 5_000)
            return [:]
          }
        }
        var outcomes: [Result<[Revision: [UInt8]], JournalError>] = []
        for await outcome in group { outcomes.append(outcome) }
        return outcomes
      }
      var acknowledged: [Revision: [UInt8]] = [:]
      for outcome in outcomes { acknowledged.merge(try outcome.get()) { first, _ in first } }
      let entries = try await journal.readAll(after: 5_000)
      findings.expectEqual(entries.map(\.revision), Array(5_001...5_080), "what is read")
      findings.expect(entries.allSatisfy { acknowledged[$0.revision] == $0.payload }, "an entry is another")
    },
  ]
}

/// A journal beside a model of it that keeps a whole copy of every checkpoint.
private struct TrimRun {
  var journal: any Journal
  var random: SplitMix64
  private var head: Revision = 0
  private var horizon: Revision = 0
  private var kept: [(header: CheckpointHeader, records: [CheckpointRecord.Position: [UInt8]])] = []

  init(journal: any Journal, random: SplitMix64) {
    self.journal = journal
    self.random = random
  }

  mutating func step(_ findings: inout Findings) async throws(JournalError) {
    switch random.below(4) {
    case 0:
      let payloads = (0...random.below(5)).map { [UInt8(truncatingIfNeeded: head + Revision($0) + 1)] }
      head += Revision(try await journal.appendAll(payloads).count)
    case 1, 2: try await save()
    default:
      guard let floor = kept.randomElement(using: &random)?.header.revision, floor > 0 else { return }
      try await journal.trim(to: floor)
      horizon = floor
      kept.removeAll { $0.header.revision < floor }
    }
    try await compare(&findings)
  }

  private mutating func save() async throws(JournalError) {
    let newest = kept.last?.header.revision ?? 0
    let revision = newest + Revision(random.below(Int(head - newest) + 1))
    var records = kept.last?.records ?? [:]
    var upserted: [CheckpointRecord] = []
    var removed: [CheckpointRecord.Position] = []
    for id in UInt8(0)..<12 where random.below(3) == 0 {
      let position = CheckpointRecord.Position(table: id % 2, id: [id])
      if random.below(3) == 0 {
        removed.append(position)
        records[position] = nil
      } else {
        let bytes = [UInt8(random.below(256))]
        upserted.append(CheckpointRecord(table: position.table, id: position.id, bytes: bytes))
        records[position] = bytes
      }
    }
    let header = CheckpointHeader(revision: revision, header: [UInt8(random.below(256))])
    let stays =
      kept.last.map { $0.header.revision != revision && $0.header.revision == horizon && horizon > 0 } ?? false
    let keepsPrevious = kept.count < 3 && random.below(2) == 0
    if kept.last?.header.revision == revision || !(keepsPrevious || stays) { _ = kept.popLast() }
    kept.append((header, records))
    try await journal.save(
      CheckpointUpdate(
        revision: revision, header: header.header, upserted: upserted, removed: removed, keepsPrevious: keepsPrevious))
  }

  func compare(_ findings: inout Findings) async throws(JournalError) {
    findings.expectEqual(try await journal.head(), head, "the head")
    findings.expectEqual(try await journal.horizon(), horizon, "the horizon")
    findings.expectEqual(try await journal.checkpoints(), kept.map(\.header), "the kept checkpoints")
    findings.expectEqual(try await journal.checkpoint(), kept.last?.header, "the newest checkpoint")
    for (header, records) in kept {
      let found = try await journal.allRecords(of: header.revision, limit: 5)
      let sum = Dictionary(found.map { ($0.position, $0.bytes) }) { first, _ in first }
      findings.expect(
        sum == records && found.count == records.count, "the records of the checkpoint at \(header.revision) differ")
    }
    let entries = try await journal.readAll(after: horizon)
    findings.expect(
      entries.map(\.revision) == (horizon..<head).map { $0 + 1 }
        && entries.allSatisfy { $0.payload == [UInt8(truncatingIfNeeded: $0.revision)] }, "the entries differ")
    if horizon > 0 {
      for revision in [0, horizon - 1] {
        await findings.expectError("reading after \(revision)", { $0 == .trimmed(horizon: horizon) }) {
          () async throws(JournalError) in
          _ = try await journal.read(after: revision, entryLimit: 9, byteLimit: 9)
        }
      }
    }
  }
}

extension CheckpointUpdate {
  /// One record that names the revision.
  static func small(at revision: Revision, keepsPrevious: Bool = false) -> CheckpointUpdate {
    let bytes = [UInt8(truncatingIfNeeded: revision)]
    return CheckpointUpdate(
      revision: revision, header: bytes, upserted: [CheckpointRecord(table: 1, id: [1], bytes: bytes)], removed: [],
      keepsPrevious: keepsPrevious)
  }
}
