import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import MoaiFlowTesting
import Testing

/// A corrupt entry stops its swarm with an error that names the revision: never a crash, never skipped silently.
@Suite("SQLite journal: damaged rows")
struct CorruptionTests {
  /// What is done to a journal of ten entries, and the first revision that can no longer be trusted.
  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: String
    let corrupt: Revision

    init(_ description: String, _ sql: String, corrupt: Revision) {
      testDescription = description
      self.sql = sql
      self.corrupt = corrupt
    }

    static let all = [
      Damage("a flipped byte", "UPDATE entry SET payload = x'04000203' WHERE \(at(4))", corrupt: 4),
      Damage("a shorter payload", "UPDATE entry SET payload = substr(payload, 2) WHERE \(at(4))", corrupt: 4),
      Damage("another time", "UPDATE entry SET appendedAt = appendedAt + 1 WHERE \(at(4))", corrupt: 4),
      Damage("a flipped bit in a checksum", "UPDATE entry SET checksum = checksum + 1 WHERE \(at(4))", corrupt: 4),
      Damage("a flipped bit in a link", "UPDATE entry SET link = link + 1 WHERE \(at(4))", corrupt: 4),
      Damage("a deleted row", "DELETE FROM entry WHERE \(at(4))", corrupt: 4),
      Damage("a deleted first row", "DELETE FROM entry WHERE \(at(1))", corrupt: 1),
      Damage("deleted rows at the start", "DELETE FROM entry WHERE place < 1 << 40 | 7", corrupt: 1),
      Damage(
        "two rows swapped",
        """
        UPDATE entry SET place = place + 0x8000000000 WHERE \(at(4));
        UPDATE entry SET place = place - 1 WHERE \(at(5));
        UPDATE entry SET place = place - 0x8000000000 + 1 WHERE place & 0xFFFFFFFFFF = 0x8000000004
        """, corrupt: 4),
      Damage(
        "the last row copied to the end",
        """
        INSERT INTO entry SELECT place + 1, appendedAt, link, payload, checksum FROM entry WHERE \(at(10))
        """, corrupt: 11),
      Damage(
        "a row of another swarm",
        """
        UPDATE entry SET (appendedAt, link, checksum, payload) = (
          SELECT e.appendedAt, e.link, e.checksum, e.payload FROM entry AS e WHERE e.place = 2 << 40 | 1) WHERE \(at(1))
        """, corrupt: 1),
    ]

    private static func at(_ revision: Int) -> String { "place = 1 << 40 | \(revision)" }
  }

  @Test("§10.1 damage done to the rows is noticed at the right revision", arguments: Damage.all)
  func damageIsNoticed(damage: Damage) async throws {
    try await withFolder { folder in
      try await fill(folder)
      try await DatabaseQueue(path: folder + "/swarms.sqlite").write { try $0.execute(sql: damage.sql) }

      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      let error = await refusal { _ = try await journal.read(after: 0, entryLimit: 100, byteLimit: .max) }
      #expect(error?.corruptRevision == damage.corrupt)
      // One by one, everything before it can be read, and the same entry is refused.
      for revision in 1..<damage.corrupt {
        let page = try await journal.read(after: revision - 1, entryLimit: 1, byteLimit: 1)
        #expect(page.map(\.payload) == [[UInt8(revision), 1, 2, 3]])
      }
      let again = await refusal { _ = try await journal.read(after: damage.corrupt - 1, entryLimit: 1, byteLimit: 1) }
      #expect(again?.corruptRevision == damage.corrupt)
      // The other swarm in the file is unharmed.
      let other = try await store.open(SwarmName("other"))
      #expect(try await other.read(after: 0, entryLimit: 100, byteLimit: .max).count == 10)
      try await store.close()
    }
  }

  @Test("a checkpoint record or header that was changed is refused")
  func damagedCheckpointIsNoticed() async throws {
    for sql in [
      "UPDATE record SET bytes = x'00' WHERE kind = 1", "UPDATE record SET id = x'00' WHERE kind = 1",
      "UPDATE record SET kind = 300",
    ] {
      try await withFolder { folder in
        try await fill(folder)
        try await DatabaseQueue(path: folder + "/swarms.sqlite").write { try $0.execute(sql: sql) }
        let store = try await SQLiteStore(folder: folder)
        let journal = try await store.open(.default)
        let error = await refusal { _ = try await journal.checkpointRecords(of: 8, after: nil, limit: 10) }
        #expect(error?.kindAndText.kind == "damaged", "\(sql)")
        #expect(error?.description.contains(folder + "/swarms.sqlite") == true)
        try await store.close()
      }
    }
    for (sql, isCorrupt) in [
      ("UPDATE checkpoint SET header = x'00'", false), ("UPDATE checkpoint SET revision = revision - 1", false),
      ("UPDATE swarm SET epoch = epoch + 7", false), ("DELETE FROM entry WHERE place & 0xFF > 4", true),
    ] {
      try await withFolder { folder in
        try await fill(folder)
        try await DatabaseQueue(path: folder + "/swarms.sqlite").write { try $0.execute(sql: sql) }
        let store = try await SQLiteStore(folder: folder)
        let error = await refusal { _ = try await store.open(.default).checkpoint() }
        // The end of the log was cut off below the checkpoint.
        if isCorrupt { #expect(error?.corruptRevision == 5) } else { #expect(error?.kindAndText.kind == "damaged") }
        try await store.close()
      }
    }
  }

  @Test(
    "a page of the file overwritten with noise gives an error, never a crash, wherever it is", arguments: [false, true])
  func noisePageGivesAnError(isTrimmed: Bool) async throws {
    try await withFolder { folder in
      try await fill(folder, isTrimmed: isTrimmed)
      let path = folder + "/swarms.sqlite"
      let whole = try Data(contentsOf: URL(filePath: path))
      let pages = whole.count / 4_096
      try #require(pages > 5)
      var refused = 0
      for page in 0..<pages {
        var damaged = whole
        // The file's header, in the first page, is another test's.
        for offset in (page == 0 ? 100 : 0)..<4_096 {
          damaged[page * 4_096 + offset] = UInt8(truncatingIfNeeded: offset &* 167 &+ 13)
        }
        try damaged.write(to: URL(filePath: path))
        do {
          let store = try await SQLiteStore(folder: folder)
          for swarm in try await store.swarms() {
            let journal = try await store.open(swarm)
            let start = try await journal.horizon()
            #expect(start == (isTrimmed && swarm == .default ? 6 : 0), "page \(page)")
            let entries = try await journal.read(after: start, entryLimit: 100, byteLimit: .max)
            #expect(entries.map(\.payload) == (start..<10).map { [UInt8($0 + 1), 1, 2, 3] }, "page \(page)")
            for kept in try await journal.checkpoints() {
              _ = try await journal.checkpointRecords(of: kept.revision, after: nil, limit: 100)
            }
          }
          try await store.close()
        } catch let error as JournalError {
          refused += 1
          if case .failed = error { Issue.record("page \(page): \(error)") }
        }
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
      }
      #expect(refused >= 4, "the schema, the entries, the swarms and the records each fill a page")
    }
  }

  @Test(
    "§10.1 a flipped bit anywhere in the file gives an error or less, never anything wrong, never a crash",
    arguments: [false, true])
  func flippedBitAnywhere(isTrimmed: Bool) async throws {
    try await withFolder { folder in
      try await fill(folder, isTrimmed: isTrimmed)
      let path = folder + "/swarms.sqlite"
      let whole = try Data(contentsOf: URL(filePath: path))
      // Most of the file is free space, where a flip changes nothing.
      let used = whole.indices.filter { whole[$0] != 0 }
      var random = SplitMix64(seed: 10)
      var refused = 0
      for _ in 0..<150 {
        var damaged = whole
        let offset = used[random.below(used.count)]
        damaged[offset] ^= 1 << UInt8(random.below(8))
        try damaged.write(to: URL(filePath: path))
        do {
          let store = try await SQLiteStore(folder: folder)
          for swarm in [SwarmName.default, try SwarmName("other")] {
            let journal = try await store.open(swarm)
            let start = try await journal.horizon()
            #expect(start == (isTrimmed && swarm == .default ? 6 : 0), "offset \(offset)")
            for entry in try await journal.read(after: start, entryLimit: 100, byteLimit: .max) {
              #expect(entry.payload == [UInt8(entry.revision), 1, 2, 3], "offset \(offset)")
            }
            for kept in try await journal.checkpoints() {
              let newest: UInt8 = kept.revision == 8 ? 2 : 3
              for record in try await journal.checkpointRecords(of: kept.revision, after: nil, limit: 100) {
                let table = record.position.table
                #expect(
                  record == CheckpointRecord(table: table, id: [table], bytes: [table, 1, newest]), "offset \(offset)")
              }
            }
          }
          try await store.close()
        } catch is JournalError {
          refused += 1
        }
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
      }
      #expect(refused > 75, "\(refused) of 150")
    }
  }

  @Test("damage that looks like a swarm half restored, or long deleted, removes no swarm")
  func damageRemovesNoSwarm() async throws {
    for sql in ["UPDATE swarm SET name = '~efault' WHERE id = 1", "INSERT INTO discarded VALUES (1)"] {
      try await withFolder { folder in
        try await fill(folder)
        let queue = try DatabaseQueue(path: folder + "/swarms.sqlite")
        try await queue.write { try $0.execute(sql: sql) }
        do {
          let store = try await SQLiteStore(folder: folder)
          try await store.delete(SwarmName("other"))
          try await store.close()
        } catch let error as JournalError {
          #expect(error.kindAndText.kind == "damaged")
        }
        let kept = try await queue.read {
          try Int.fetchOne($0, sql: "SELECT count(*) FROM entry WHERE place >> 40 = 1")
        }
        #expect(kept == 10)
      }
    }
  }

  @Test("a trim to a checkpoint whose entry is damaged is refused: what follows would hang on nothing")
  func trimToADamagedEntry() async throws {
    for sql in ["UPDATE entry SET link = link + 1", "UPDATE entry SET payload = x'00'", "DELETE FROM entry"] {
      try await withFolder { folder in
        try await fill(folder)
        try await DatabaseQueue(path: folder + "/swarms.sqlite")
          .write { try $0.execute(sql: sql + " WHERE place = 1 << 40 | 8") }
        let store = try await SQLiteStore(folder: folder)
        let journal = try await store.open(.default)
        #expect(await refusal { try await journal.trim(to: 8) }?.corruptRevision == 8)
        #expect(try await journal.horizon() == 0)
        // Damage before the floor goes with what is trimmed.
        try await journal.skip(8, replacement: [8])
        try await journal.save(CheckpointUpdate(revision: 9, header: [], upserted: [], removed: []))
        try await journal.trim(to: 9)
        #expect(try await journal.read(after: 9, entryLimit: 9, byteLimit: 9).map(\.payload) == [[10, 1, 2, 3]])
        try await store.close()
      }
    }
  }

  /// Two swarms of ten entries, `default` with a checkpoint at 8; trimmed, with another one at 6, its floor.
  private func fill(_ folder: String, isTrimmed: Bool = false) async throws {
    let store = try await SQLiteStore(folder: folder, sources: .counting())
    let journal = try await store.open(.default)
    let other = try await store.create(SwarmName("other"))
    for number in UInt8(1)...10 {
      _ = try await journal.append([[number, 1, 2, 3]])
      _ = try await other.append([[number, 1, 2, 3]])
    }
    if isTrimmed {
      try await journal.save(
        CheckpointUpdate(
          revision: 6, header: [6],
          upserted: (0..<5).map { CheckpointRecord(table: $0, id: [$0], bytes: [$0, 1, 3]) }, removed: []))
      try await journal.trim(to: 6)
      try await journal.save(
        CheckpointUpdate(
          revision: 8, header: [8],
          upserted: (0..<3).map { CheckpointRecord(table: $0, id: [$0], bytes: [$0, 1, 2]) },
          removed: (3..<5).map { .init(table: $0, id: [$0]) }))
      try await store.close()
      return
    }
    try await journal.save(
      CheckpointUpdate(
        revision: 8, header: [8],
        upserted: (0..<3).map { CheckpointRecord(table: $0, id: [$0], bytes: [$0, 1, 2]) }, removed: []))
    try await store.close()
  }
}
