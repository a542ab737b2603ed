import Foundation
import GRDB
import MoaiFlow
import MoaiFlowSQLite
import MoaiFlowTesting
import Synchronization
import Testing

@Suite("SQLite journal: what was acknowledged is there")
struct DurabilityTests {
  @Test("§10.1 the writing connection commits with synchronous = FULL in WAL mode, read back after opening")
  func commitsAreSynchronous() async throws {
    try await withFolder { folder in
      for _ in 1...2 {
        let store = try await SQLiteStore(folder: folder)
        let pool = try #require(store.pool)
        let (synchronous, mode) = try await pool.writeWithoutTransaction { db in
          (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(synchronous == 2)
        #expect(mode == "wal")
        try await store.close()
      }
    }
  }

  /// A copy of the file and its log, taken while writers run, is what a crash at that moment leaves: the log is not
  /// moved into the file before it has 1,000 pages, so the file stays as it is.
  @Test("§10.1 a crash at any moment loses nothing that was acknowledged before it")
  func crashLosesNothing() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      let acknowledged = Acknowledged()
      let images = try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in UInt8(0)..<8 {
          group.addTask {
            for number in UInt8(0)..<30 {
              let payload = [writer, number]
              let appended = try await journal.append([payload])
              acknowledged.entries.withLock { $0[appended.firstRevision] = payload }
            }
          }
        }
        var images: [(folder: String, acknowledged: [Revision: [UInt8]])] = []
        for number in 1...10 {
          let known = acknowledged.entries.withLock { $0 }
          images.append((try copy(folder, to: "\(folder)/image-\(number)"), known))
          // The next image is taken when a writer got further, not after a time.
          _ = try await journal.append([[255]])
        }
        try await group.waitForAll()
        return images
      }
      try await store.close()
      #expect(images.last?.acknowledged.isEmpty == false)
      for image in images {
        let store = try await SQLiteStore(folder: image.folder)
        let entries = try await store.open(.default).read(after: 0, entryLimit: 10_000, byteLimit: .max)
        for (index, entry) in entries.enumerated() { #expect(entry.revision == Revision(index) + 1) }
        for (revision, payload) in image.acknowledged {
          let found = entries.count >= revision ? entries[Int(revision) - 1].payload : nil
          #expect(found == payload, "revision \(revision)")
        }
        try await store.close()
      }
    }
  }

  @Test("a log cut off anywhere leaves whole appends from the start, and the journal goes on after them")
  func tornLogLeavesAPrefix() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      for number in UInt8(1)...20 { _ = try await journal.append([[number, 1], [number, 2], [number, 3]]) }
      let image = try copy(folder, to: folder + "/image")
      try await store.close()
      let log = try Data(contentsOf: URL(filePath: image + "/swarms.sqlite-wal"))
      var seen: Set<Int> = []
      for cut in stride(from: 0, through: log.count, by: 3_001) {
        let copy = try copy(image, to: "\(folder)/cut-\(cut)")
        try log.prefix(cut).write(to: URL(filePath: copy + "/swarms.sqlite-wal"))
        let store = try await SQLiteStore(folder: copy)
        let journal = try await store.open(.default)
        let entries = try await journal.read(after: 0, entryLimit: 1_000, byteLimit: .max)
        #expect(entries.count % 3 == 0, "an append was torn at \(cut)")
        for (index, entry) in entries.enumerated() {
          #expect(entry.payload == [UInt8(index / 3 + 1), UInt8(index % 3 + 1)])
        }
        #expect(try await journal.append([[0]]).firstRevision == Revision(entries.count) + 1)
        seen.insert(entries.count)
        try await store.close()
      }
      #expect(seen.count > 10)
    }
  }

  @Test("§10.1 a log cut off anywhere leaves the journal as it was after some commit: checkpoints, horizon and all")
  func tornLogLeavesACut() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      var random = SplitMix64(seed: 7)
      var states = [try await Self.state(of: journal)]
      for number in 1...60 {
        let kept = try await journal.checkpoints().map(\.revision)
        let head = try await journal.head()
        switch number % 4 {
        case 0 where !kept.isEmpty: try await journal.trim(to: kept[random.below(kept.count)])
        case 1, 2:
          try await journal.save(
            CheckpointUpdate(
              revision: head, header: [UInt8(number)],
              upserted: (0..<8).map { CheckpointRecord(table: 1, id: [UInt8(random.below(20)), $0], bytes: [9]) },
              removed: (0..<8).map { .init(table: 1, id: [UInt8(random.below(20)), $0]) },
              keepsPrevious: kept.count < 3 && random.below(2) == 0))
        default: _ = try await journal.append([[UInt8(number), 1], [UInt8(number), 2]])
        }
        states.append(try await Self.state(of: journal))
      }
      let image = try copy(folder, to: folder + "/image")
      try await store.close()
      let log = try Data(contentsOf: URL(filePath: image + "/swarms.sqlite-wal"))
      var seen: Set<Int> = []
      for cut in stride(from: 0, through: log.count, by: 4_001) {
        let copy = try copy(image, to: "\(folder)/cut-\(cut)")
        try log.prefix(cut).write(to: URL(filePath: copy + "/swarms.sqlite-wal"))
        let store = try await SQLiteStore(folder: copy)
        let state = try await Self.state(of: try await store.open(.default))
        let index = states.firstIndex(of: state)
        #expect(index != nil, "cut at \(cut)")
        if let index { seen.insert(index) }
        #expect(try await store.integrityProblems() == [])
        try await store.close()
      }
      #expect(seen.count > 15)
    }
  }

  /// Everything that can be read of a journal.
  private static func state(of journal: any Journal) async throws -> [String] {
    let horizon = try await journal.horizon()
    var state = ["horizon \(horizon), head \(try await journal.head())"]
    for kept in try await journal.checkpoints() {
      let records = try await journal.checkpointRecords(of: kept.revision, after: nil, limit: 1_000)
      state.append("checkpoint \(kept) \(records)")
    }
    state.append("\(try await journal.read(after: horizon, entryLimit: 1_000, byteLimit: .max))")
    return state
  }

  @Test("a full disk stores nothing of the call, and the journal goes on when there is space again")
  func fullDisk() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      _ = try await journal.append([[1]])
      let pool = try #require(store.pool)
      try await pool.writeWithoutTransaction { db in
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        try db.execute(sql: "PRAGMA max_page_count = \(pages + 10)")
      }
      let large = Array(repeating: [UInt8](repeating: 7, count: 10_000), count: 20)
      for _ in 1...3 {
        await #expect(throws: JournalError.full(folder + "/swarms.sqlite")) { _ = try await journal.append(large) }
        #expect(try await journal.head() == 1)
      }
      let records = (0..<50).map { CheckpointRecord(table: 1, id: [$0], bytes: [UInt8](repeating: 7, count: 5_000)) }
      await #expect(throws: JournalError.full(folder + "/swarms.sqlite")) {
        try await journal.save(CheckpointUpdate(revision: 1, header: [], upserted: records, removed: []))
      }
      #expect(try await journal.checkpoint() == nil)
      await #expect(throws: JournalError.full(folder + "/swarms.sqlite")) {
        _ = try await store.restore(
          SwarmName("restored"),
          entries: zip(large, 1...).map { JournalEntry(revision: $1, appendedAt: 0, payload: $0) })
      }
      #expect(try await store.swarms() == [.default])
      #expect(try await journal.append([[2]]).firstRevision == 2)

      try await pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
      #expect(try await journal.append(large).firstRevision == 3)
      let entries = try await journal.read(after: 0, entryLimit: 100, byteLimit: .max)
      #expect(entries.map(\.payload) == [[1], [2]] + large)
      try await store.close()
    }
  }

  /// The observer makes COMMIT fail the way a failed sync does; what a real one leaves in the log is in the comment of
  /// `CommitQueue.settle()`.
  @Test("a COMMIT that fails is reported as uncertain, and nothing is read or written until it is settled")
  func failedCommit() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let journal = try await store.open(.default)
      _ = try await journal.append([[1]])
      let pool = try #require(store.pool)
      let failure = FailingCommits()
      pool.add(transactionObserver: failure, extent: .databaseLifetime)
      #expect(await refusal { _ = try await journal.append([[2]]) }?.kindAndText.kind == "uncertain")
      for _ in 1...2 {
        #expect(await refusal { _ = try await journal.append([[3]]) }?.kindAndText.kind == "failed")
        #expect(
          await refusal { _ = try await journal.read(after: 0, entryLimit: 9, byteLimit: 9) }?.kindAndText.kind
            == "failed")
        #expect(await refusal { _ = try await journal.head() }?.kindAndText.kind == "failed")
      }
      failure.isOver.store(true, ordering: .relaxed)
      #expect(try await journal.head() == 1)
      #expect(try await journal.append([[4]]).firstRevision == 2)
      let entries = try await journal.read(after: 0, entryLimit: 9, byteLimit: 99)
      #expect(entries.map(\.payload) == [[1], [4]])
      try await store.close()
    }
  }

  @Test("callers that wait while a commit is under way share the next one")
  func commitsAreShared() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let pool = try #require(store.pool)
      let commits = CountedCommits()
      var journals: [any Journal] = []
      for number in 0..<4 { journals.append(try await store.create(SwarmName("swarm-\(number)"))) }
      pool.add(transactionObserver: commits, extent: .databaseLifetime)
      // The writer is held until the last caller is about to queue.
      let (gate, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      pool.asyncWriteWithoutTransaction { _ in
        gate.signal()
        release.wait()
      }
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          gate.wait()
          continuation.resume()
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 1...200 {
          let journal = journals[caller % 4]
          group.addTask {
            if commits.callers.wrappingAdd(1, ordering: .relaxed).newValue == 200 { release.signal() }
            _ = try await journal.append([[UInt8(caller)]])
          }
        }
        try await group.waitForAll()
      }
      #expect(commits.count.load(ordering: .relaxed) <= 50)
      for journal in journals { #expect(try await journal.head() == 50) }
      try await store.close()
    }
  }

  /// Copies a store's file and log into another folder.
  private func copy(_ folder: String, to copy: String) throws -> String {
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    for name in ["swarms.sqlite", "swarms.sqlite-wal"] {
      try Data(contentsOf: URL(filePath: "\(folder)/\(name)")).write(to: URL(filePath: "\(copy)/\(name)"))
    }
    return copy
  }
}

private final class Acknowledged: Sendable {
  let entries = Mutex<[Revision: [UInt8]]>([:])
}

/// Fails every COMMIT until it is over.
private final class FailingCommits: TransactionObserver, Sendable {
  let isOver = Atomic(false)

  func databaseWillCommit() throws {
    if !isOver.load(ordering: .relaxed) { throw DatabaseError(resultCode: .SQLITE_IOERR, message: "disk I/O error") }
  }

  func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
  func databaseDidChange(with event: DatabaseEvent) {}
  func databaseDidCommit(_ db: Database) {}
  func databaseDidRollback(_ db: Database) {}
}

private final class CountedCommits: TransactionObserver, Sendable {
  let count = Atomic(0)
  let callers = Atomic(0)

  func databaseDidCommit(_ db: Database) {
    count.wrappingAdd(1, ordering: .relaxed)
  }

  func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { false }
  func databaseDidChange(with event: DatabaseEvent) {}
  func databaseDidRollback(_ db: Database) {}
}
