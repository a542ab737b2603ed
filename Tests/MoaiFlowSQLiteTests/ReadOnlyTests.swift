import Foundation
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("SQLite store: reading without writing")
struct ReadOnlyTests {
  @Test("a folder can be read beside the store that holds it, and nothing can be written that way")
  func readsBesideTheHolder() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      _ = try await journal.append([[1]])
      let reader = try await SQLiteStore(readingFrom: folder)
      let view = try await reader.open(.default)
      #expect(view.epoch == journal.epoch)
      #expect(try await view.head() == 1)
      _ = try await journal.append([[2]])
      #expect(try await view.read(after: 0, entryLimit: 9, byteLimit: 9).map(\.payload) == [[1], [2]])
      #expect(try await view.head() == 2)
      #expect(try await reader.integrityProblems() == [])

      let refused = JournalError.readOnly(folder + "/swarms.sqlite")
      await #expect(throws: refused) { _ = try await view.append([[3]]) }
      await #expect(throws: refused) {
        try await view.save(CheckpointUpdate(revision: 1, header: [], upserted: [], removed: []))
      }
      await #expect(throws: refused) { _ = try await reader.create(SwarmName("new")) }
      await #expect(throws: refused) { try await reader.delete(.default) }
      await #expect(throws: refused) { _ = try await reader.restore(SwarmName("new"), entries: []) }
      try await reader.close()
      _ = try await journal.append([[3]])
      try await store.close()
    }
  }

  @Test("reading from a folder without a file is refused and makes none")
  func nothingToRead() async throws {
    try await withFolder { folder in
      let error = await refusal { _ = try await SQLiteStore(readingFrom: folder) }
      #expect(error?.kindAndText.kind == "notOurs" && error?.description.contains(folder) == true)
      #expect(!FileManager.default.fileExists(atPath: folder))
    }
  }

  @Test("a folder that cannot be written is refused for writing and can be read", .enabled(if: Disk.isAvailable))
  func readOnlyFolder() async throws {
    try await Disk.with { disk in
      let folder = disk.folder + "/data"
      let store = try await SQLiteStore(folder: folder)
      _ = try await store.open(.default).append([[1], [2]])
      // What a crash leaves: the entries are still in the log.
      let crashed = disk.folder + "/crashed"
      try FileManager.default.createDirectory(atPath: crashed, withIntermediateDirectories: true)
      for name in ["swarms.sqlite", "swarms.sqlite-wal"] {
        try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(crashed)/\(name)")
      }
      try await store.close()
      try disk.makeReadOnly()
      await expectReadOnly(folder)
      await expectReadOnly(disk.folder + "/new")
      let reader = try await SQLiteStore(readingFrom: folder)
      let view = try await reader.open(.default)
      #expect(try await view.read(after: 0, entryLimit: 9, byteLimit: 9).map(\.payload) == [[1], [2]])
      try await reader.close()
      let error = await refusal { _ = try await SQLiteStore(readingFrom: crashed) }
      #expect(error?.description.contains("copy the folder and read the copy") == true)
    }
  }

  @Test("on a disk that fills up, what was acknowledged stays and reading goes on", .enabled(if: Disk.isAvailable))
  func diskFillsUp() async throws {
    try await Disk.with { disk in
      let folder = disk.folder + "/data"
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      var acknowledged: Revision = 0
      var refusals = 0
      while refusals < 20 {
        try #require(acknowledged < 10_000, "the disk does not fill up")
        do {
          acknowledged = try await journal.append([[UInt8](repeating: 7, count: 20_000)]).firstRevision
        } catch JournalError.full {
          refusals += 1
          #expect(try await journal.head() == acknowledged)
        }
      }
      let last = try await journal.read(after: acknowledged - 1, entryLimit: 9, byteLimit: .max)
      #expect(last.map(\.revision) == [acknowledged])
      try FileManager.default.removeItem(atPath: disk.ballast)
      #expect(try await journal.append([[1]]).firstRevision == acknowledged + 1)
      try await store.close()

      let again = try await SQLiteStore(folder: folder)
      #expect(try await again.open(.default).head() == acknowledged + 1)
      #expect(try await again.integrityProblems() == [])
      try await again.close()
    }
  }

  private func expectReadOnly(_ folder: String) async {
    let error = await refusal { _ = try await SQLiteStore(folder: folder) }
    #expect(error?.kindAndText.kind == "readOnly" && error?.description.contains(folder) == true)
  }
}
