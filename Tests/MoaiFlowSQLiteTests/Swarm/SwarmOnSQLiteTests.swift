import MoaiCRDT
import MoaiFlowSQLite
import Testing

@testable import MoaiFlow

/// The swarm over a real file: what was acknowledged is there (rule §10.1).
@Suite struct SwarmOnSQLiteTests {
  private func write(_ swarm: Swarm, rounds: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["alice", "bob", "carol", "dave"] {
        let state = try await swarm.join(as: name).state
        group.addTask {
          for round in 0..<rounds {
            try await state.increment("c")
            try await state.add(.string(UTF8String("\(name)-\(round)")), to: "s")
            try await state.put(.int(Int64(round)), field: name, in: "m")
            try await state.set("r/\(name)", to: ["round": .int(Int64(round)), "text": "caf\u{E9}"])
            if round % 5 == 4 { try await state.delete("r/\(name)") }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("§10.1 acknowledged writes are there after closing and opening")
  func closedAndOpened() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      try await write(swarm, rounds: 25)
      try await swarm.close()
      let status = try await swarm.status()
      try await store.close()

      let again = try await SQLiteStore(folder: folder)
      let reopened = try await Swarm.open(in: again)
      #expect(await reopened.core.chain == swarm.core.chain)
      #expect(try await reopened.status().checkpoint == status.revision)
      #expect(try await reopened.state.read("c")?.value == 100)
      #expect(try await reopened.state.read("m")?.value == ["alice": 24, "bob": 24, "carol": 24, "dave": 24])
      #expect(try await reopened.state.keys().keys.map(\.key.name.string) == ["c", "m", "s"])
      try await again.close()
    }
  }

  @Test("§10.1 without closing the swarm: checkpoint and tail, and a retry counts once")
  func notClosed() async throws {
    try await withFolder { folder in
      let id = CommandID(high: 1, low: 2)
      var chain: UInt64?
      do {
        let store = try await SQLiteStore(folder: folder)
        var options = SwarmOptions()
        options.checkpointEntries = 60
        let swarm = try await Swarm.open(in: store, options: options)
        try await write(swarm, rounds: 25)
        try await swarm.join(as: "erin").state.increment("c", by: 7, id: id)
        chain = await swarm.core.chain
        try await store.close()
      }
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      #expect(await swarm.core.chain == chain)
      try await swarm.join(as: "erin").state.increment("c", by: 7, id: id)
      #expect(try await swarm.state.read("c")?.value == 107)
      var replay = SwarmState(epoch: swarm.epoch)
      try await replay.replay(swarm.journal)
      #expect(replay.chain == chain)
      try await store.close()
    }
  }

  @Test("§10.1 opened five times over, with a checkpoint every few entries")
  func openedAgainAndAgain() async throws {
    try await withFolder { folder in
      for round in 1...5 {
        let store = try await SQLiteStore(folder: folder)
        var options = SwarmOptions()
        options.checkpointEntries = 7
        let swarm = try await Swarm.open(in: store, options: options)
        try await write(swarm, rounds: 5)
        #expect(try await swarm.state.read("c")?.value == .int(Int64(20 * round)))
        try await store.close()
      }
    }
  }

  @Test("a store that is closed under a swarm: every command is answered, and says so")
  func storeClosedUnderTheSwarm() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      let alice = try await swarm.join(as: "alice")
      try await alice.state.increment("c")
      try await store.close()
      for _ in 0..<3 {
        await #expect(throws: SwarmError.closed) { try await alice.state.increment("c") }
      }
      let again = try await SQLiteStore(folder: folder)
      #expect(try await Swarm.open(in: again).state.read("c")?.value == 1)
      try await again.close()
    }
  }

  @Test("swarms of one store do not meet")
  func severalSwarms() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder)
      let swarms = [try await Swarm.open("one", in: store), try await Swarm.open("two", in: store)]
      for swarm in swarms { try await swarm.join(as: "alice").state.increment("c", id: CommandID(high: 1, low: 1)) }
      for swarm in swarms { #expect(try await swarm.state.read("c")?.value == 1) }
      #expect(swarms[0].epoch != swarms[1].epoch)
      await #expect(throws: SwarmError.engine(.noSuchSwarm(try SwarmName("three")))) {
        try await Swarm.open("three", in: store, createIfMissing: false)
      }
      try await store.close()
    }
  }
}
