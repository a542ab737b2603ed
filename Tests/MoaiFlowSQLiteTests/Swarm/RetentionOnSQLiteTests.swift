import Foundation
import GRDB
import MoaiCRDT
import MoaiFlowSQLite
import Testing

@testable import MoaiFlow

/// History that is let go of over a real file.
@Suite struct RetentionOnSQLiteTests {
  private func write(_ swarm: Swarm, _ count: Int, bytes: Int) async throws {
    let alice = try await swarm.join(as: "alice")
    for number in 0..<count {
      try await alice.state.increment("c")
      try await alice.state.set("k", to: .string(UTF8String("\(number)" + String(repeating: "x", count: bytes))))
    }
  }

  private func settle(_ swarm: Swarm) async {
    while await swarm.isSavingCheckpoint { await Task.yield() }
    await swarm.trimming?.value
  }

  private func size(_ folder: String) throws -> Int {
    let file = try FileManager.default.attributesOfItem(atPath: folder + "/swarms.sqlite")
    return (file[.size] as? Int) ?? 0
  }

  @Test("§6.4 the space of what goes is used again: a file with a bound stays small, over restarts too")
  func spaceIsUsedAgain() async throws {
    try await withFolder { folder in
      var sizes: [Int] = []
      for isBounded in [true, false] {
        let place = "\(folder)/\(isBounded)"
        for _ in 0..<4 {
          let store = try await SQLiteStore(folder: place)
          var options = SwarmOptions()
          options.checkpointEntries = 20
          let swarm = try await Swarm.open(in: store, options: options)
          if isBounded {
            try await swarm.replaceSettings(SwarmSettings(retention: HistoryRetention(entries: 20)))
          }
          for _ in 0..<10 {
            try await write(swarm, 10, bytes: 8_000)
            await settle(swarm)
          }
          try await swarm.close()
          try await store.close()
        }
        sizes.append(try size(place))
        let store = try await SQLiteStore(folder: place)
        let journal = try await store.open(.default)
        let (head, horizon) = (try await journal.head(), try await journal.horizon())
        #expect(isBounded ? (20...100).contains(head - horizon) : horizon == 0)
        #expect(try await Swarm.open(in: store).state.read("c")?.value == 400)
        #expect(await JournalAudit(of: journal).problems == [])
        #expect(try await store.integrityProblems() == [])
        try await store.close()
      }
      #expect(sizes[0] * 3 < sizes[1], "\(sizes)")
    }
  }

  @Test("§6.4 letting go of everything at once frees the file, and what comes next fits in it")
  func byHand() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      try await write(swarm, 200, bytes: 8_000)
      #expect(try await swarm.trimHistory() == 400)
      let pool = try #require(store.pool)
      let entries = try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM entry") }
      #expect(entries == 1)
      try await swarm.close()
      try await store.close()
      let before = try size(folder)
      let again = try await SQLiteStore(folder: folder)
      let reopened = try await Swarm.open(in: again)
      try await write(reopened, 100, bytes: 8_000)
      try await reopened.close()
      try await again.close()
      #expect(try size(folder) <= before + 200_000)
    }
  }

  @Test("§6.4 §10.1 the process ends between the entry and the trim: the next opening trims")
  func cutShort() async throws {
    try await withFolder { folder in
      var chain: UInt64 = 0
      do {
        let store = try await SQLiteStore(folder: folder)
        let swarm = try await Swarm.open(in: store)
        try await write(swarm, 10, bytes: 10)
        try await swarm.close()
        let entry = Entry(
          author: .journal, id: CommandID(high: 1, low: 1), requestHash: 0, command: .journal(.trim(to: 20)))
        _ = try await store.open(.default).append([entry.encoded()])
        try await store.close()
      }
      do {
        // Who only reads finds the horizon, and changes nothing.
        let store = try await SQLiteStore(readingFrom: folder)
        let swarm = try await Swarm.open(in: store)
        chain = await swarm.core.chain
        #expect(try await swarm.status().horizon == 20)
        await settle(swarm)
        #expect(try await swarm.journal.horizon() == 0)
        try await store.close()
      }
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      await settle(swarm)
      #expect(try await swarm.journal.horizon() == 20)
      #expect(await swarm.core.chain == chain)
      try await write(swarm, 5, bytes: 10)
      try await swarm.close()
      #expect(await JournalAudit(of: swarm.journal).problems == [])
      try await store.close()
    }
  }

  @Test(
    "§5.3 §6.4 a reader beside the process that writes and trims ends with the same values, however it falls behind")
  func readerBeside() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      var options = SwarmOptions()
      options.checkpointEntries = 6
      let swarm = try await Swarm.open(in: store, options: options)
      try await swarm.replaceSettings(SwarmSettings(retention: HistoryRetention(entries: 3)))
      let beside = try await SQLiteStore(readingFrom: folder)
      let reader = try await Swarm.open(in: beside)
      var mirror = StateMirror()
      for round in 0..<30 {
        try await write(swarm, 1 + round % 7, bytes: 10)
        await settle(swarm)
        if round % 4 == 3 {
          try await reader.refresh()
          try mirror.apply(try await reader.state.changes(ChangesQuery(since: mirror.start)))
          #expect(await reader.core.chain == swarm.core.chain)
          #expect(mirror.values[try StateKey("c")] == (try await swarm.state.read("c")?.value))
        }
      }
      #expect(try await swarm.status().horizon > 100)
      try await swarm.close()
      try await beside.close()
      try await store.close()
    }
  }
}
