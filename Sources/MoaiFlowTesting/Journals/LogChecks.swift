import MoaiFlow

extension Check {
  /// Appending and reading.
  static let log: [Check] = [
    Check("revisions ascend from 1 without gaps under concurrent appends") { (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let load = bench.load
      let outcomes = await withTaskGroup(of: Result<[Revision: [UInt8]], JournalError>.self) { group in
        for writer in 0..<load.writers {
          group.addTask {
            await Result { () async throws(JournalError) in
              var mine: [Revision: [UInt8]] = [:]
              for number in 0..<load.appendsPerWriter {
                let batch = (0...number % 3).map { payload(writer: writer, number: number, part: $0) }
                let revisions = try await journal.appendAll(batch)
                for (revision, payload) in zip(revisions, batch) { mine[revision] = payload }
                // A caller reads what it wrote: what was acknowledged is below the head and in the log.
                let head = try await journal.head()
                guard let last = revisions.last, last <= head else {
                  throw .failed("head \(head) lies before acknowledged revision \(revisions.last ?? 0)")
                }
              }
              return mine
            }
          }
        }
        var outcomes: [Result<[Revision: [UInt8]], JournalError>] = []
        for await outcome in group { outcomes.append(outcome) }
        return outcomes
      }
      var acknowledged: [Revision: [UInt8]] = [:]
      for outcome in outcomes {
        for (revision, payload) in try outcome.get() {
          findings.expect(acknowledged[revision] == nil, "revision \(revision) was given twice")
          acknowledged[revision] = payload
        }
      }
      let entries = try await journal.readAll()
      findings.expectEqual(entries.map(\.revision), Array(1...max(1, Revision(acknowledged.count))), "what is read")
      for entry in entries where acknowledged[entry.revision] != entry.payload {
        findings.add("revision \(entry.revision) holds something else than was acknowledged")
        break
      }
      findings.expectEqual(try await journal.head(), Revision(acknowledged.count), "the head")
      findings.expectEqual(try await journal.horizon(), 0, "the horizon")
    },

    Check("a batch is in the log in its order, without strangers inside") { (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let load = bench.load
      await withTaskGroup(of: Result<Void, JournalError>.self) { group in
        for writer in 0..<load.writers {
          group.addTask {
            await Result { () async throws(JournalError) in
              let batch = (0..<20).map { payload(writer: writer, number: 0, part: $0) }
              let appended = try await journal.append(batch)
              let stored = try await journal.read(
                after: appended.firstRevision - 1, entryLimit: appended.count, byteLimit: .max)
              guard (1...batch.count).contains(appended.count),
                stored.map(\.payload) == Array(batch.prefix(appended.count))
              else { throw .failed("a batch of \(batch.count) was stored as \(stored.count) or in another order") }
              guard stored.allSatisfy({ $0.appendedAt == appended.appendedAt }) else {
                throw .failed("the entries of a batch have not the time that its append returned")
              }
            }
          }
        }
        for await outcome in group {
          if case .failure(let error) = outcome { findings.add("\(error)") }
        }
      }
    },

    Check("entries are read back as they were appended, now and after reopening") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let payloads: [[UInt8]] = [
        [], [0], [0, 0], Array("é".utf8), Array(0...255), Array(repeating: 0xFF, count: 100_000), [],
      ]
      _ = try await journal.appendAll(payloads)
      let before = try await journal.readAll()
      findings.expectEqual(before.map(\.payload), payloads, "what is read")
      let reopened = try await bench.reopen(bench.store)
      let again = try await reopened.open(.contract)
      findings.expectEqual(try await again.readAll(), before, "what is read after reopening")
      findings.expectEqual(again.epoch, journal.epoch, "the epoch after reopening")
      findings.expectEqual(try await again.appendAll([[7]]), [Revision(payloads.count) + 1], "the next revision")
      try await reopened.close()
    },

    Check("pages keep to their limits and hold at least one entry") { (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      _ = try await journal.appendAll((0..<50).map { Array(repeating: UInt8($0), count: 100) })
      let all = try await journal.readAll()
      for (entryLimit, byteLimit) in [
        (1, Int.max), (7, .max), (50, .max), (.max, 0), (.max, 250), (.max, .max), (3, 100),
      ] {
        let first = try await journal.read(after: 0, entryLimit: entryLimit, byteLimit: byteLimit)
        findings.expect(
          !first.isEmpty && first.count <= entryLimit, "\(first.count) entries where \(entryLimit) is the limit")
        let bytes = first.reduce(0) { $0 + $1.payload.count }
        // "About": one entry more is within the promise.
        findings.expect(
          first.count == 1 || bytes - 100 <= byteLimit,
          "\(bytes) bytes where \(byteLimit) is the limit")
        let paged = try await journal.readAll(entryLimit: entryLimit, byteLimit: byteLimit)
        findings.expect(paged == all, "pages of \(entryLimit) entries and \(byteLimit) bytes add up to something else")
      }
      for start in [1, 25, 49] as [Revision] {
        findings.expect(
          try await journal.readAll(after: start) == Array(all.dropFirst(Int(start))), "reading after \(start) differs")
      }
      findings.expectEqual(
        try await journal.read(after: 50, entryLimit: 9, byteLimit: 9).count, 0, "entries at the end")
      findings.expectEqual(
        try await journal.read(after: 1 << 50, entryLimit: 9, byteLimit: 9).count, 0, "entries past the end")
    },

    Check("an empty journal has head 0, and a call that makes no sense is refused") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      findings.expectEqual(try await journal.head(), 0, "the head")
      findings.expectEqual(try await journal.read(after: 0, entryLimit: 9, byteLimit: 9).count, 0, "entries")
      await findings.expectError("an append without entries", \.isInvalid) { () async throws(JournalError) in
        _ = try await journal.append([])
      }
      await findings.expectError("a negative revision", \.isInvalid) { () async throws(JournalError) in
        _ = try await journal.read(after: -1, entryLimit: 9, byteLimit: 9)
      }
      findings.expectEqual(try await journal.appendAll([[1]]), [1], "the first revision")
    },

    Check("a large batch is cut to a prefix of at least one entry, if at all") {
      (bench, findings) throws(JournalError) in
      let journal = try await bench.makeJournal()
      let batch = (0..<10_000).map { payload(writer: 0, number: $0, part: 0) }
      let appended = try await journal.append(batch)
      findings.expect((1...batch.count).contains(appended.count), "\(appended.count) entries were taken")
      findings.expectEqual(try await journal.head(), Revision(appended.count), "the head")
      findings.expect(
        try await journal.readAll().map(\.payload) == Array(batch.prefix(appended.count)),
        "what is stored is not the prefix")
    },
  ]

  private static func payload(writer: Int, number: Int, part: Int) -> [UInt8] {
    Array("writer \(writer), number \(number), part \(part)".utf8)
  }
}

extension JournalError {
  var isInvalid: Bool { if case .invalid = self { true } else { false } }
  var isClosed: Bool { self == .closed }
}

extension Result where Failure == JournalError {
  init(_ work: () async throws(JournalError) -> Success) async {
    do {
      self = .success(try await work())
    } catch {
      self = .failure(error)
    }
  }
}
