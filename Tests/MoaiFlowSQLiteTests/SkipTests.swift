import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import MoaiFlowTesting
import Testing

/// An operator may go on without an entry that is lost; nothing else becomes trusted or lost by that.
@Suite("SQLite journal: going on without an entry")
struct SkipTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: String
    /// What has to be skipped, in this order.
    let lost: [Revision]

    init(_ description: String, _ sql: String, lost: [Revision]) {
      testDescription = description
      self.sql = sql
      self.lost = lost
    }

    static let all = [
      Damage("a flipped byte", "UPDATE entry SET payload = x'04000203' WHERE \(at(4))", lost: [4]),
      Damage("a flipped byte in the first entry", "UPDATE entry SET payload = x'FF' WHERE \(at(1))", lost: [1]),
      Damage("a flipped byte in the last entry", "UPDATE entry SET payload = x'FF' WHERE \(at(10))", lost: [10]),
      Damage("another time", "UPDATE entry SET appendedAt = 1 << 60 WHERE \(at(4))", lost: [4]),
      Damage("a flipped bit in a checksum", "UPDATE entry SET checksum = checksum + 1 WHERE \(at(4))", lost: [4]),
      Damage("a flipped bit in a link", "UPDATE entry SET link = link + 1 WHERE \(at(4))", lost: [4]),
      Damage(
        "a whole row overwritten",
        "UPDATE entry SET payload = x'00', link = 5, checksum = 6, appendedAt = 7 WHERE \(at(4))", lost: [4]),
      Damage("a deleted row", "DELETE FROM entry WHERE \(at(4))", lost: [4]),
      Damage("the first row deleted", "DELETE FROM entry WHERE \(at(1))", lost: [1]),
      Damage("three rows deleted", "DELETE FROM entry WHERE \(at(4)) OR \(at(5)) OR \(at(6))", lost: [4, 5, 6]),
      Damage(
        "a deleted row and a flipped byte behind it",
        "DELETE FROM entry WHERE \(at(4)); UPDATE entry SET payload = x'00' WHERE \(at(5))", lost: [4, 5]),
      Damage(
        "two flipped bytes", "UPDATE entry SET payload = x'00' WHERE \(at(4)) OR \(at(5))", lost: [4, 5]),
      Damage("two damaged entries apart", "DELETE FROM entry WHERE \(at(3)) OR \(at(7))", lost: [3, 7]),
      // The checkpoint at 8 says that three more were there.
      Damage(
        "the end cut off below the checkpoint", "DELETE FROM entry WHERE place >> 40 = 1 AND place & 0xFF > 5",
        lost: [6, 7, 8]),
    ]

    private static func at(_ revision: Int) -> String { "place = 1 << 40 | \(revision)" }
  }

  @Test("§10.1 skipping what is lost, and nothing else, makes a damaged journal whole", arguments: Damage.all)
  func skipMakesWhole(damage: Damage) async throws {
    try await withFolder { folder in
      let count: Revision = damage.sql.contains("0xFF > 5") ? 8 : 10
      try await fill(folder)
      try await DatabaseQueue(path: folder + "/swarms.sqlite").write { try $0.execute(sql: damage.sql) }
      var store = try await SQLiteStore(folder: folder)
      var journal = try await store.open(.default)
      let other = try await store.open(SwarmName("other"))
      for (index, revision) in damage.lost.enumerated() {
        // Where the end is missing, what is there can be read; only asking for more is refused.
        let start: Revision = count == 10 ? 0 : revision - 1
        let error = await refusal { _ = try await journal.read(after: start, entryLimit: 100, byteLimit: .max) }
        #expect(error?.corruptRevision == revision)
        let damaged = try #require(try await journal.damagedEntry(at: revision))
        #expect((damaged.payload == nil) == (damaged.appendedAt == nil))
        for intact in 1...count where !damage.lost.contains(intact) && intact != revision + 1 {
          #expect(await refusal { try await journal.skip(intact, replacement: [0]) }?.kindAndText.kind == "invalid")
        }
        if index == 1 {
          // In the middle of it the process ends.
          try await store.close()
          store = try await SQLiteStore(folder: folder)
          journal = try await store.open(.default)
        }
        try await journal.skip(revision, replacement: [UInt8(revision), 99])
      }
      for _ in 1...2 {
        #expect(try await journal.head() == count)
        let expected = (1...count).map {
          damage.lost.contains($0) ? [UInt8($0), 99] : [UInt8($0), 1, 2, 3]
        }
        for limit in [1, 3, 100] {
          var found: [JournalEntry] = []
          while true {
            let page = try await journal.read(after: Revision(found.count), entryLimit: limit, byteLimit: .max)
            if page.isEmpty { break }
            found += page
          }
          #expect(found.map(\.payload) == expected)
          #expect(found.allSatisfy { $0.appendedAt < 1_000 })
        }
        for revision in 1...count { #expect(try await journal.damagedEntry(at: revision) == nil) }
        let kept: [Revision] = damage.lost.allSatisfy { $0 > 8 } ? [2, 8] : damage.lost[0] > 2 ? [2] : []
        #expect(try await journal.checkpoints().map(\.revision) == kept)
        let records = try await journal.checkpointRecords(of: kept.last ?? 0, after: nil, limit: 9)
        #expect(records.map(\.bytes) == (kept.last.map { [[UInt8($0)]] } ?? []))
        try await store.close()
        store = try await SQLiteStore(folder: folder)
        journal = try await store.open(.default)
      }
      #expect(try await journal.append([[7]]).firstRevision == count + 1)
      #expect(try await other.epoch == store.open(SwarmName("other")).epoch)
      #expect(try await store.open(SwarmName("other")).read(after: 0, entryLimit: 99, byteLimit: .max).count == 10)
      try await store.close()
    }
  }

  @Test("§10.1 until then a journal whose end is missing takes no entries, which would get used revisions")
  func missingEndTakesNoEntries() async throws {
    try await withFolder { folder in
      try await fill(folder)
      try await DatabaseQueue(path: folder + "/swarms.sqlite")
        .write { try $0.execute(sql: "DELETE FROM entry WHERE place >> 40 = 1 AND place & 0xFF > 5") }
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      for _ in 1...2 {
        #expect(await refusal { _ = try await journal.append([[1]]) }?.corruptRevision == 6)
        #expect(await refusal { _ = try await journal.head() }?.corruptRevision == 6)
        #expect(await refusal { _ = try await journal.checkpoint() }?.corruptRevision == 6)
        #expect(
          await refusal { _ = try await journal.read(after: 5, entryLimit: 9, byteLimit: 9) }?.corruptRevision == 6)
      }
      #expect(try await journal.read(after: 0, entryLimit: 9, byteLimit: 99).count == 5)
      #expect(await refusal { try await journal.skip(7, replacement: [0]) }?.kindAndText.kind == "invalid")
      #expect(await refusal { try await journal.skip(9, replacement: [0]) }?.kindAndText.kind == "invalid")
      // Another swarm's appends in the same transaction are not refused with it.
      let other = try await store.open(SwarmName("other"))
      async let refused = refusal { _ = try await journal.append([[1]]) }
      #expect(try await other.append([[1]]).firstRevision == 11)
      #expect(await refused?.corruptRevision == 6)
      try await store.close()
    }
  }

  @Test("what comes behind a missing entry can be read, each entry checked by itself")
  func readingBehindAMissingEntry() async throws {
    try await withFolder { folder in
      try await fill(folder)
      try await DatabaseQueue(path: folder + "/swarms.sqlite")
        .write { try $0.execute(sql: "DELETE FROM entry WHERE place = 1 << 40 | 4") }
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      #expect(try await journal.read(after: 4, entryLimit: 99, byteLimit: .max).map(\.revision) == Array(5...10))
      #expect(await refusal { _ = try await journal.read(after: 3, entryLimit: 1, byteLimit: 1) }?.corruptRevision == 4)
      try await store.close()
      try await DatabaseQueue(path: folder + "/swarms.sqlite")
        .write { try $0.execute(sql: "UPDATE entry SET payload = x'00' WHERE place = 1 << 40 | 5") }
      let again = try await SQLiteStore(folder: folder)
      let damaged = try await again.open(.default)
      #expect(await refusal { _ = try await damaged.read(after: 4, entryLimit: 1, byteLimit: 1) }?.corruptRevision == 5)
      try await again.close()
    }
  }

  @Test(
    "an entry that follows on a skipped one is held as firmly as any other", arguments: ["payload", "link", "seam"])
  func seamIsChecked(what: String) async throws {
    try await withFolder { folder in
      try await fill(folder)
      let queue = { try DatabaseQueue(path: folder + "/swarms.sqlite") }
      try await queue().write { try $0.execute(sql: "DELETE FROM entry WHERE place = 1 << 40 | 4") }
      let store = try await SQLiteStore(folder: folder)
      try await store.open(.default).skip(4, replacement: [4])
      try await store.close()
      let sql =
        switch what {
        case "payload": "UPDATE entry SET payload = x'00' WHERE place = 1 << 40 | 5"
        case "link": "UPDATE entry SET link = link + 1 WHERE place = 1 << 40 | 5"
        default: "UPDATE seam SET checksum = checksum + 1"
        }
      try await queue().write { try $0.execute(sql: sql) }
      let again = try await SQLiteStore(folder: folder)
      let journal = try await again.open(.default)
      #expect(
        await refusal { _ = try await journal.read(after: 0, entryLimit: 99, byteLimit: .max) }?.corruptRevision == 5)
      try await journal.skip(5, replacement: [5])
      #expect(try await journal.read(after: 0, entryLimit: 99, byteLimit: .max).count == 10)
      try await again.close()
    }
  }

  /// Two swarms of ten entries, `default` with checkpoints at 2 and 8.
  private func fill(_ folder: String) async throws {
    let store = try await SQLiteStore(folder: folder, sources: .counting())
    let journal = try await store.open(.default)
    let other = try await store.create(SwarmName("other"))
    for number in UInt8(1)...10 {
      _ = try await journal.append([[number, 1, 2, 3]])
      _ = try await other.append([[number, 1, 2, 3]])
    }
    for revision in [Revision(2), 8] {
      try await journal.save(
        CheckpointUpdate(
          revision: revision, header: [8],
          upserted: [CheckpointRecord(table: 1, id: [1], bytes: [UInt8(revision)])], removed: [], keepsPrevious: true))
    }
    try await store.close()
  }
}
