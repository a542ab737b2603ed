import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import Synchronization
import Testing

@Suite("SQLite journal: what a trim costs and leaves")
struct TrimTests {
  /// Many records at 100, few changed at 200; entries up to 3,000.
  private func fill(_ journal: any Journal, records: Int, changed: Int) async throws {
    var count = 0
    while count < 3_000 { count += try await journal.append(Array(repeating: [1, 2, 3], count: 3_000 - count)).count }
    func record(_ number: Int, _ value: UInt8) -> CheckpointRecord {
      CheckpointRecord(
        table: 1, id: [UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)], bytes: [value])
    }
    try await journal.save(
      CheckpointUpdate(revision: 100, header: [1], upserted: (0..<records).map { record($0, 1) }, removed: []))
    let half = changed / 2
    try await journal.save(
      CheckpointUpdate(
        revision: 200, header: [2], upserted: (0..<half).map { record($0, 2) },
        removed: (half..<changed).map { record($0, 1).position }, keepsPrevious: true))
  }

  private func rows(_ store: SQLiteStore, _ table: String) async throws -> Int {
    try await #require(store.pool).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
  }

  @Test("promoting a checkpoint and trimming to it costs what changed, not what is there")
  func costsWhatChanged() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      try await fill(journal, records: 50_000, changed: 20)
      #expect(try await rows(store, "record") == 50_020)
      let pool = try #require(store.pool)
      let before = try await pool.writeWithoutTransaction { $0.totalChangesCount }
      try await journal.trim(to: 200)
      let changes = try await pool.writeWithoutTransaction { $0.totalChangesCount } - before
      // 200 entries, 20 old versions, 10 that mark a removal, 10 that hide nothing any more, two heads.
      #expect(changes < 260)
      #expect(try await rows(store, "record") == 49_990)
      #expect(try await rows(store, "entry") == 2_800)
      #expect(try await rows(store, "checkpoint") == 1)
      try await store.close()
    }
  }

  @Test("what a crash leaves between the horizon's move and the last deletion is not visible, and is removed later")
  func leftovers() async throws {
    try await withFolder { folder in
      var store = try await SQLiteStore(folder: folder)
      var journal = try #require(try await store.open(.default) as? SQLiteJournal)
      try await fill(journal, records: 3_000, changed: 2_500)
      try await journal.save(CheckpointUpdate(revision: 3_000, header: [3], upserted: [], removed: []))
      try await journal.save(
        CheckpointUpdate(
          revision: 3_000, header: [3], upserted: [CheckpointRecord(table: 9, id: [], bytes: [])], removed: [],
          keepsPrevious: true))
      try await journal.moveHorizon(to: 3_000)
      try await expectTrimmed(journal)
      #expect(try await rows(store, "entry") == 3_000)
      #expect(try await journal.removeSomeLeftovers())
      try await expectTrimmed(journal)
      #expect(try await rows(store, "entry") == 1_000)
      // As after a crash. A reader does not clean up.
      try await store.close()
      let reader = try await SQLiteStore(readingFrom: folder)
      try await expectTrimmed(try await reader.open(.default))
      #expect(try await rows(reader, "entry") == 1_000)
      try await reader.close()
      store = try await SQLiteStore(folder: folder)
      journal = try #require(try await store.open(.default) as? SQLiteJournal)
      try await expectTrimmed(journal)
      try await journal.removeLeftovers()
      #expect(try await rows(store, "entry") == 0)
      #expect(try await rows(store, "record") == 1_751)
      #expect(try await journal.append([[1]]).firstRevision == 3_001)
      try await store.close()
    }
  }

  private func expectTrimmed(_ journal: any Journal) async throws {
    #expect(try await journal.horizon() == 3_000)
    #expect(try await journal.head() == 3_000)
    #expect(try await journal.checkpoints().map(\.revision) == [3_000])
    let records = try await journal.checkpointRecords(of: 3_000, after: nil, limit: 10_000)
    #expect(records.count == 1_751)
    #expect(records.prefix(1_250).allSatisfy { $0.bytes == [2] })
    #expect(
      await refusal { _ = try await journal.read(after: 2_999, entryLimit: 1, byteLimit: 1) }
        == .trimmed(horizon: 3_000))
    #expect(try await journal.read(after: 3_000, entryLimit: 1, byteLimit: 1) == [])
  }

  @Test("a deleted swarm's rows go too, also after a crash in between")
  func discarded() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.create(SwarmName("gone"))
      try await fill(journal, records: 2_500, changed: 10)
      try await store.delete(SwarmName("gone"))
      for table in ["entry", "record", "checkpoint", "discarded"] { #expect(try await rows(store, table) == 0) }
      #expect(try await rows(store, "swarm") == 1)
      try await store.close()
    }
  }

  @Test("a restore that is killed at any page is never half there, and leaves nothing in the end")
  func killedRestore() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let images = Mutex<[String]>([])
      let recordPages = Atomic(0)
      let entryPages = Atomic(0)
      let image: @Sendable () -> Void = {
        images.withLock { images in
          let copy = "\(folder)/image-\(images.count)"
          try? FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
          for name in ["swarms.sqlite", "swarms.sqlite-wal"] {
            try? FileManager.default.copyItem(atPath: "\(folder)/data/\(name)", toPath: "\(copy)/\(name)")
          }
          images.append(copy)
        }
      }
      let name = try SwarmName("restored")
      let header = CheckpointHeader(revision: 10, header: [1])
      let records = Pages<CheckpointRecord> { () async throws(JournalError) in
        image()
        let page = UInt8(recordPages.wrappingAdd(1, ordering: .relaxed).oldValue)
        return page < 4 ? (UInt8(0)..<50).map { CheckpointRecord(table: page, id: [$0], bytes: [$0]) } : []
      }
      let entries = Pages<JournalEntry> { () async throws(JournalError) in
        image()
        let page = Revision(entryPages.wrappingAdd(1, ordering: .relaxed).oldValue)
        guard page < 4 else { return [] }
        return (1...20).map { JournalEntry(revision: 10 + page * 20 + $0, appendedAt: 0, payload: [9]) }
      }
      let restored = try await store.restore(
        name, checkpoint: RestoredCheckpoint(header, records: records), entries: entries)
      #expect(try await restored.head() == 90)
      #expect(try await store.swarms() == [.default, name])
      let copies = images.withLock { $0 }
      #expect(copies.count == 10)
      for copy in copies {
        let store = try await SQLiteStore(folder: copy)
        #expect(try await store.swarms() == [.default])
        #expect(await refusal { _ = try await store.open(name) } == .noSuchSwarm(name))
        // A second attempt is not kept from it, whether the first one's rows are gone yet or not.
        let journal = try await store.restore(name, entries: [JournalEntry(revision: 1, appendedAt: 0, payload: [1])])
        #expect(try await journal.head() == 1)
        try await store.delete(name)
        for table in ["entry", "record", "checkpoint", "discarded"] { #expect(try await rows(store, table) == 0) }
        try await store.close()
      }
      try await store.close()
    }
  }
}
