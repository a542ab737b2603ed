import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("SQLite store: files of older versions")
struct MigrationTests {
  /// Written by version 1: `default` (epoch 1) holds entries 01, 02 and 03 at the times 2, 3 and 4, `other` (epoch 5)
  /// nothing; a checkpoint stands at 2.
  private static let firstVersion = """
    CREATE TABLE swarm (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
      epoch INTEGER NOT NULL UNIQUE, horizon INTEGER NOT NULL, horizonChecksum INTEGER NOT NULL) STRICT;
    CREATE TABLE entry (place INTEGER PRIMARY KEY, appendedAt INTEGER NOT NULL, checksum INTEGER NOT NULL,
      payload BLOB NOT NULL) STRICT;
    CREATE TABLE checkpoint (swarm INTEGER PRIMARY KEY, revision INTEGER NOT NULL, checksum INTEGER NOT NULL,
      header BLOB NOT NULL) STRICT;
    CREATE TABLE record (swarm INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL, checksum INTEGER NOT NULL,
      bytes BLOB NOT NULL, PRIMARY KEY (swarm, kind, id)) STRICT, WITHOUT ROWID;
    INSERT INTO checkpoint VALUES (1, 2, 0, x'01');
    INSERT INTO record VALUES (1, 1, x'01', 0, x'01');
    PRAGMA application_id = 0x4D6F6169;
    PRAGMA user_version = 1;
    """

  private func make(in folder: String, damaging damaged: Revision? = nil) async throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try await DatabaseQueue(path: folder + "/swarms.sqlite").writeWithoutTransaction { db in
      try db.execute(sql: Self.firstVersion)
      for (name, epoch) in [("default", 1), ("other", 5)] as [(String, UInt64)] {
        let root = Int64(bitPattern: StableHash(seed: epoch).finalize())
        try db.execute(
          sql: "INSERT INTO swarm (name, epoch, horizon, horizonChecksum) VALUES (?, ?, 0, ?)",
          arguments: [name, Int64(epoch), root])
      }
      var previous = StableHash(seed: 1).finalize()
      for revision in Int64(1)...3 {
        let payload = [UInt8(revision)]
        var hash = StableHash(seed: previous)
        hash.combine(revision)
        hash.combine(revision + 1)
        hash.combine(bytes: payload)
        previous = hash.finalize()
        try db.execute(
          sql: "INSERT INTO entry (place, appendedAt, checksum, payload) VALUES (1 << 40 | ?, ?, ?, ?)",
          arguments: [
            revision, revision + 1, Int64(bitPattern: previous), Data(revision == damaged ? [0xFF] : payload),
          ])
      }
    }
  }

  @Test("a folder of version 1 is brought up to date with every entry; its checkpoints are made again")
  func fromFirstVersion() async throws {
    try await withFolder { folder in
      try await make(in: folder)
      for round in 1...2 {
        let store = try await SQLiteStore(folder: folder)
        #expect(try await store.swarms() == [.default, SwarmName("other")])
        let journal = try await store.open(.default)
        #expect(journal.epoch == Epoch(1))
        let entries = try await journal.read(after: 0, entryLimit: 9, byteLimit: 99)
        #expect(entries.map(\.payload).prefix(3) == [[1], [2], [3]])
        #expect(entries.map(\.appendedAt).prefix(3) == [2, 3, 4])
        #expect(try await journal.checkpoints() == [])
        #expect(try await journal.append([[9]]).firstRevision == Revision(3 + round))
        #expect(try await store.open(SwarmName("other")).head() == 0)
        try await store.close()
      }
    }
  }

  @Test("damage in a folder of version 1 stays damage at the same revision")
  func damageStays() async throws {
    try await withFolder { folder in
      try await make(in: folder, damaging: 2)
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      let error = await refusal { _ = try await journal.read(after: 0, entryLimit: 9, byteLimit: 99) }
      #expect(error?.corruptRevision == 2)
      #expect(try await journal.read(after: 2, entryLimit: 9, byteLimit: 99).map(\.payload) == [[3]])
      try await store.close()
    }
  }

  @Test("a folder of version 1 is not read in place: reading writes nothing")
  func readingRefuses() async throws {
    try await withFolder { folder in
      try await make(in: folder)
      let error = await refusal { _ = try await SQLiteStore(readingFrom: folder) }
      #expect(error?.kindAndText.kind == "notOurs")
    }
  }
}
