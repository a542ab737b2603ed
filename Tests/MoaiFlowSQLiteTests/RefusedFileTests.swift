import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import Testing

/// Files that are not ours, not whole or too new are refused by name and left as they were.
@Suite("SQLite store: refused files")
struct RefusedFileTests {
  @Test("another program's database is refused and not touched")
  func anotherProgramsDatabase() async throws {
    for setUp in ["", "PRAGMA application_id = 77;", "PRAGMA journal_mode = WAL;"] {
      try await expectRefusal(isDamage: false) { path in
        let queue = try DatabaseQueue(path: path)
        try await queue.writeWithoutTransaction { db in
          try db.execute(sql: setUp + "CREATE TABLE invoice (id INTEGER PRIMARY KEY)")
        }
        try queue.close()
      }
    }
  }

  @Test("a file that is no database is refused and not touched")
  func garbage() async throws {
    try await expectRefusal(isDamage: false) { path in
      try Data((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }).write(to: URL(filePath: path))
    }
    try await expectRefusal(isDamage: false) { path in
      try Data("hello".utf8).write(to: URL(filePath: path))
    }
    try await expectRefusal(isDamage: false) { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }

  @Test("an empty file is refused as damaged, not taken for a new one")
  func emptyFile() async throws {
    try await expectRefusal(isDamage: true) { path in
      try Data().write(to: URL(filePath: path))
    }
  }

  @Test("a truncated file is refused as damaged", arguments: [8, 50, 100, 4_096, 3 * 4_096 + 5])
  func truncatedFile(length: UInt64) async throws {
    try await expectRefusal(isDamage: true) { path in
      try await makeFile(at: path)
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try #require(try handle.seekToEnd() > length)
      try handle.truncate(atOffset: length)
      try handle.close()
    }
  }

  @Test("a file of a newer version is refused, named with both versions")
  func newerVersion() async throws {
    let text = try await expectRefusal(isDamage: false) { path in
      try await makeFile(at: path)
      try await DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 9") }
    }
    #expect(text.contains("version 9") && text.contains("version 2"))
  }

  @Test("a log without its file is refused: a new file would swallow it")
  func orphanedLog() async throws {
    try await withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(repeating: 1, count: 5_000).write(to: URL(filePath: folder + "/swarms.sqlite-wal"))
      let error = await refusal { _ = try await SQLiteStore(folder: folder) }
      #expect(error?.kindAndText.kind == "damaged" && error?.description.contains("swarms.sqlite-wal") == true)
      #expect(!FileManager.default.fileExists(atPath: folder + "/swarms.sqlite"))
    }
  }

  @Test("a file where the folder should be is refused")
  func fileInsteadOfFolder() async throws {
    try await withFolder { path in
      try Data("mine".utf8).write(to: URL(filePath: path))
      let error = await refusal { _ = try await SQLiteStore(folder: path) }
      #expect(error?.kindAndText.kind == "invalid" && error?.description.contains(path) == true)
      #expect(try Data(contentsOf: URL(filePath: path)) == Data("mine".utf8))
    }
  }

  @Test("a half-made file of an interrupted first start is replaced")
  func interruptedCreation() async throws {
    try await withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in ["swarms.sqlite.new", "swarms.sqlite.new-journal"] {
        try Data(repeating: 7, count: 600).write(to: URL(filePath: folder + "/" + name))
      }
      let store = try await SQLiteStore(folder: folder)
      #expect(try await store.swarms() == [.default])
      try await store.close()
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["swarms.lock", "swarms.sqlite"])
    }
  }

  /// Opens the folder with a prepared file both ways; returns the error's text.
  @discardableResult
  private func expectRefusal(isDamage: Bool, prepare: (String) async throws -> Void) async throws -> String {
    try await withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let path = folder + "/swarms.sqlite"
      try await prepare(path)
      let before = try? Data(contentsOf: URL(filePath: path))
      var text = ""
      for isReading in [true, false] {
        let error = await refusal {
          let store =
            isReading ? try await SQLiteStore(readingFrom: folder) : try await SQLiteStore(folder: folder)
          try await store.close()
        }
        #expect(error?.kindAndText.kind == (isDamage ? "damaged" : "notOurs"), "reading: \(isReading)")
        text = error?.kindAndText.text ?? ""
        #expect(text.contains(path) && !text.contains("\n"))
      }
      let after = try? Data(contentsOf: URL(filePath: path))
      #expect(after == before, "the file was changed")
      let others = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix("-wal") }
      #expect(others == [], "something was written beside the file")
      return text
    }
  }

  private func makeFile(at path: String) async throws {
    let store = try await SQLiteStore(folder: String(path.dropLast("/swarms.sqlite".count)))
    _ = try await store.open(.default).append(Array(repeating: Array(repeating: 1, count: 500), count: 100))
    try await store.close()
  }
}
