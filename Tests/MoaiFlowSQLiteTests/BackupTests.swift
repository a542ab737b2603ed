import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import Synchronization
import Testing

@Suite("SQLite store: backup and restore")
struct BackupTests {
  @Test("§10.1 a backup taken under load holds every write that was acknowledged before, and nothing torn")
  func backupUnderLoad() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let other = try await store.create(SwarmName("other"))
      let journal = try await store.open(.default)
      let load = Load()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in UInt8(0)..<4 {
          group.addTask {
            var number = 0
            while !load.isOver.load(ordering: .relaxed) {
              let parts = (UInt8(0)..<3).map { [writer, UInt8(truncatingIfNeeded: number), $0] }
              let first = try await journal.append(parts).firstRevision
              load.acknowledged.withLock { known in
                for (offset, part) in parts.enumerated() { known[first + Revision(offset)] = part }
              }
              _ = try await other.append([[writer]])
              number += 1
            }
          }
        }
        // Checkpoints and trims belong to the load.
        group.addTask {
          while !load.isOver.load(ordering: .relaxed) {
            let head = try await journal.head()
            try await journal.save(update(at: head, records: 50, keepsPrevious: false))
            if head > 500 { try await journal.trim(to: head) }
          }
        }
        for number in 1...8 {
          let before = load.acknowledged.withLock { $0 }
          let backup = try await store.backup(to: "\(folder)/copy-\(number).sqlite")
          let after = load.acknowledged.withLock { $0 }
          #expect(backup.swarms.keys.sorted() == [.default, try SwarmName("other")])

          let restored = "\(folder)/restored-\(number)"
          try await SQLiteStore.restore(backup: backup.path, to: restored)
          let copy = try await SQLiteStore(folder: restored)
          #expect(try await copy.integrityProblems() == [])
          let again = try await copy.open(.default)
          #expect(again.epoch != journal.epoch)
          let head = try await again.head()
          #expect(head == backup.swarms[.default])
          #expect(head >= before.keys.max() ?? 0 && head % 3 == 0, "a batch was torn")
          let horizon = try await again.horizon()
          var last = horizon
          while case let page = try await again.read(after: last, entryLimit: 1_000, byteLimit: .max), !page.isEmpty {
            for entry in page where after[entry.revision] != nil {
              #expect(after[entry.revision] == entry.payload)
            }
            last = try #require(page.last?.revision)
          }
          #expect(last == head)
          // The floor is whole, newer checkpoints are not there.
          #expect(try await again.checkpoints().map(\.revision) == (horizon > 0 ? [horizon] : []))
          if horizon > 0 {
            let records = try await again.checkpointRecords(of: horizon, after: nil, limit: 1_000)
            #expect(records == update(at: horizon, records: 50, keepsPrevious: false).upserted)
          }
          #expect(try await again.append([[1]]).firstRevision == head + 1)
          try await copy.close()
        }
        load.isOver.store(true, ordering: .relaxed)
        try await group.waitForAll()
      }
      try await store.close()
    }
  }

  @Test("writers go on while a backup is under way, and it is the state of the moment when it began")
  func writersGoOn() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let journal = try await store.open(.default)
      for number in UInt8(1)...40 { _ = try await journal.append([[UInt8](repeating: number, count: 100_000)]) }
      let (isHalfway, mayGoOn) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
      let steps = Atomic(0)
      async let backup = store.backup(to: folder + "/copy.sqlite") { progress in
        guard progress.pages < progress.ofPages, steps.wrappingAdd(1, ordering: .relaxed).oldValue == 0 else { return }
        isHalfway.continuation.yield()
        mayGoOn.wait()
      }
      for await _ in isHalfway.stream { break }
      for number in UInt8(41)...80 { _ = try await journal.append([[UInt8](repeating: number, count: 100_000)]) }
      try await journal.save(update(at: 80, records: 5, keepsPrevious: false))
      try await journal.trim(to: 80)
      mayGoOn.signal()
      #expect(try await backup.swarms == [.default: 40])
      #expect(steps.load(ordering: .relaxed) > 2)
      try await SQLiteStore.restore(backup: folder + "/copy.sqlite", to: folder + "/restored")
      let copy = try await SQLiteStore(folder: folder + "/restored")
      let entries = try await copy.open(.default).read(after: 0, entryLimit: 100, byteLimit: .max)
      #expect(entries.map { $0.payload[0] } == Array(1...40))
      try await copy.close()
      try await store.close()
    }
  }

  @Test("a backup into a folder is a data folder; opened for writing it has new epochs once, for reading the old ones")
  func folderIsMarked() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data", sources: .counting())
      let journal = try await store.open(.default)
      _ = try await journal.append([[1], [2], [3]])
      for revision in [Revision(1), 2] {
        try await journal.save(update(at: revision, records: 3, keepsPrevious: true))
      }
      try await journal.trim(to: 1)
      // Beside the store that holds the folder, as a second process would.
      let aside = try await SQLiteStore(readingFrom: folder + "/data")
      let backup = try await aside.backup(to: folder + "/copy/")
      try await aside.close()
      #expect(backup.path == folder + "/copy/swarms.sqlite")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/copy") == ["swarms.sqlite"])

      let reader = try await SQLiteStore(readingFrom: folder + "/copy")
      #expect(try await reader.open(.default).epoch == journal.epoch)
      try await reader.close()
      var epochs: [Epoch] = []
      for _ in 1...2 {
        let copy = try await SQLiteStore(folder: folder + "/copy", sources: .counting(from: 100))
        let again = try await copy.open(.default)
        epochs.append(again.epoch)
        #expect(try await again.horizon() == 1)
        #expect(try await again.checkpoints().map(\.revision) == [1])
        #expect(
          try await again.checkpointRecords(of: 1, after: nil, limit: 9)
            == update(at: 1, records: 3, keepsPrevious: true).upserted)
        #expect(try await again.read(after: 1, entryLimit: 9, byteLimit: 9).map(\.payload) == [[2], [3]])
        try await copy.close()
      }
      #expect(epochs == [Epoch(101), Epoch(101)])
      // A backup of a backup is marked anew.
      let second = try await SQLiteStore(readingFrom: folder + "/copy")
      _ = try await second.backup(to: folder + "/second.sqlite")
      try await second.close()
      try await SQLiteStore.restore(
        backup: folder + "/second.sqlite", to: folder + "/third", sources: .counting(from: 200))
      let third = try await SQLiteStore(folder: folder + "/third")
      #expect(try await third.open(.default).epoch == Epoch(201))
      try await third.close()
      try await store.close()
    }
  }

  @Test("a backup replaces nothing, and a restore goes only into a folder without swarms, from a whole backup")
  func refusals() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let journal = try await store.open(.default)
      _ = try await journal.append((0..<200).map { [UInt8](repeating: $0, count: 1_000) })
      let path = folder + "/copy.sqlite"
      _ = try await store.backup(to: path)
      let whole = try Data(contentsOf: URL(filePath: path))
      for target in [path, folder + "/data"] {
        #expect(await refusal { _ = try await store.backup(to: target) }?.kindAndText.kind == "invalid")
      }
      #expect(await refusal { _ = try await store.backup(to: folder + "/none/copy.sqlite") } != nil)
      #expect(try Data(contentsOf: URL(filePath: path)) == whole)
      #expect(
        await refusal { try await SQLiteStore.restore(backup: path, to: folder + "/data") }?.description
          .contains("in use by") == true)
      try await store.close()
      #expect(
        await refusal { try await SQLiteStore.restore(backup: path, to: folder + "/data") }?.kindAndText.kind
          == "invalid")

      let bad = folder + "/bad.sqlite"
      var noise = whole
      for offset in 8_192..<40_960 { noise[offset] = UInt8(truncatingIfNeeded: offset &* 31) }
      for (content, kind) in [
        (Data(), "damaged"), (Data(whole.prefix(whole.count / 2)), "damaged"), (Data("no database".utf8), "notOurs"),
        (noise, "damaged"),
      ] {
        try content.write(to: URL(filePath: bad))
        let error = await refusal { try await SQLiteStore.restore(backup: bad, to: folder + "/restored") }
        #expect(error?.kindAndText.kind == kind)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/restored") == ["swarms.lock"])
      }
      // What an earlier attempt left is replaced.
      try noise.write(to: URL(filePath: folder + "/restored/swarms.sqlite.new"))
      try await SQLiteStore.restore(backup: path, to: folder + "/restored")
      let copy = try await SQLiteStore(folder: folder + "/restored")
      #expect(try await copy.open(.default).head() == 200)
      try await copy.close()
    }
  }

  @Test("a cancelled backup leaves no file")
  func cancelled() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let journal = try await store.open(.default)
      for _ in 1...40 { _ = try await journal.append([[UInt8](repeating: 7, count: 100_000)]) }
      let (started, go) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
      let task = Task {
        try await store.backup(to: folder + "/copy.sqlite") { _ in
          started.continuation.yield()
          go.wait()
        }
      }
      for await _ in started.stream { break }
      task.cancel()
      for _ in 1...100 { go.signal() }
      #expect(await refusal { _ = try await task.value }?.kindAndText.text == "cancelled")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["data"])
      try await store.close()
    }
  }

  @Test("a backup onto a full disk fails, leaves nothing there and does no harm", .enabled(if: Disk.isAvailable))
  func fullDisk() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      let journal = try await store.open(.default)
      for _ in 1...60 { _ = try await journal.append([[UInt8](repeating: 7, count: 100_000)]) }
      try await Disk.with { disk in
        let target = disk.folder + "/copy.sqlite"
        #expect(await refusal { _ = try await store.backup(to: target) } == .full(target))
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.folder) == ["ballast"])
        _ = try await journal.append([[1]])
        try FileManager.default.removeItem(atPath: disk.ballast)
        #expect(try await store.backup(to: target).swarms == [.default: 61])
        // Nor is there space for the backup and the folder made of it.
        #expect(
          await refusal { try await SQLiteStore.restore(backup: target, to: disk.folder + "/data") }?.kindAndText.kind
            == "full")
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.folder + "/data") == ["swarms.lock"])
        try disk.makeReadOnly()
        #expect(
          await refusal { _ = try await store.backup(to: disk.folder + "/second.sqlite") }?.kindAndText.kind
            == "readOnly")
        try await SQLiteStore.restore(backup: target, to: folder + "/restored")
        let copy = try await SQLiteStore(folder: folder + "/restored")
        #expect(try await copy.open(.default).head() == 61)
        try await copy.close()
      }
      #expect(try await journal.append([[2]]).firstRevision == 62)
      try await store.close()
    }
  }
}

private final class Load: Sendable {
  let acknowledged = Mutex<[Revision: [UInt8]]>([:])
  let isOver = Atomic(false)
}

private func update(at revision: Revision, records: UInt8, keepsPrevious: Bool) -> CheckpointUpdate {
  CheckpointUpdate(
    revision: revision, header: [UInt8(truncatingIfNeeded: revision)],
    upserted: (0..<records).map {
      CheckpointRecord(table: 1, id: [$0], bytes: [$0, UInt8(truncatingIfNeeded: revision)])
    }, removed: [], keepsPrevious: keepsPrevious)
}
