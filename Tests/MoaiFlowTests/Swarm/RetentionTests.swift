import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// A swarm whose settings bound its history moves its own horizon.
@Suite(.patience) struct RetentionTests {
  private func write(_ swarm: Swarm, _ count: Int, _ key: String = "c") async throws {
    let alice = try await swarm.join(as: "alice")
    for _ in 0..<count { try await alice.state.increment(key) }
  }

  private func keep(_ swarm: Swarm, entries: Int64? = nil, milliseconds: Int64? = nil) async throws {
    try await swarm.replaceSettings(
      SwarmSettings(retention: HistoryRetention(milliseconds: milliseconds, entries: entries)))
  }

  /// Waits for what is saved and trimmed in the background.
  private func settle(_ swarm: Swarm) async {
    while await swarm.isSavingCheckpoint { await Task.yield() }
    await swarm.trimming?.value
  }

  private func commands(_ bench: SwarmBench) async throws -> [JournalCommand] {
    let journal = bench.journal
    let entries = try await journal.read(after: try await journal.horizon(), entryLimit: .max, byteLimit: .max)
    return try entries.compactMap { entry in
      if case .journal(let command) = try Entry(decoding: entry.payload).command { command } else { nil }
    }
  }

  @Test("§6.4 without a bound everything stays")
  func unbounded() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.checkpointEntries = 10 }
    try await write(swarm, 200)
    try await swarm.close()
    #expect(try await bench.journal.horizon() == 0)
    #expect(try await bench.entries().count == 200)
    #expect(try await bench.journal.checkpoints().count == 1)
  }

  @Test("§6.4 the last entries stay readable, older ones go behind checkpoints, and values stay what they are")
  func boundedByEntries() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.checkpointEntries = 10 }
    try await keep(swarm, entries: 25)
    for _ in 0..<20 {
      try await write(swarm, 10)
      await settle(swarm)
      let status = try await swarm.status()
      #expect(status.revision - status.horizon >= min(25, status.revision))
      #expect(try await bench.journal.horizon() == status.horizon)
      #expect(try await bench.journal.checkpoints().count <= 3)
    }
    let status = try await swarm.status()
    #expect(status.revision - status.horizon <= 2 * 25 + 30)
    #expect(try await swarm.value("c") == 200)
    #expect(try await swarm.state.read("c", at: .revision(status.revision - 25)) != nil)
    let before = await swarmError { _ = try await swarm.state.read("c", at: .revision(status.horizon - 1)) }
    #expect(
      before
        == .trimmed(
          "revision \(status.horizon - 1) lies before the horizon \(status.horizon); what was then is no longer kept"))
    try await swarm.close()
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == swarm.fingerprint)
    #expect(await JournalAudit(of: bench.journal).problems == [])
  }

  @Test("§6.4 the entries of the last while stay, by journal time; both bounds hold together")
  func boundedByTime() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.checkpointEntries = 10 }
    try await keep(swarm, entries: 5, milliseconds: 1_000)
    var times: [Int64] = []
    for _ in 0..<30 {
      bench.time.now += 100
      times += Array(repeating: bench.time.now, count: 5)
      try await write(swarm, 5)
      await settle(swarm)
      let horizon = try await swarm.status().horizon
      let youngest = try await bench.journal.read(after: horizon, entryLimit: 1, byteLimit: .max)[0].appendedAt
      // The oldest entry that is left is older than a second, or nothing went yet.
      #expect(horizon == 0 || youngest <= bench.time.now - 1_000 + 100)
    }
    let status = try await swarm.status()
    #expect(status.horizon > 30)
    #expect(try await swarm.value("c") == 150)
    // Without time passing nothing gets old.
    try await write(swarm, 300)
    await settle(swarm)
    let later = try await swarm.status()
    #expect(later.horizon <= 152)
  }

  @Test("§6.4 a swarm that is opened for one write at a time keeps its bound too, and closing leaves no tail")
  func oneWriteAtATime() async throws {
    let bench = try await SwarmBench()
    let first = try await bench.open()
    try await keep(first, entries: 4)
    try await first.close()
    for round in 1...30 {
      let swarm = try await bench.open()
      try await write(swarm, 1)
      try await swarm.close()
      #expect(try await bench.journal.checkpoint()?.revision == bench.journal.head())
      #expect(try await swarm.value("c") == .int(Int64(round)))
    }
    let (head, horizon) = (try await bench.journal.head(), try await bench.journal.horizon())
    #expect(head - horizon >= 4 && head - horizon <= 15)
    // Closing again what nobody wrote to adds nothing.
    for _ in 0..<3 { try await bench.open().close() }
    #expect(try await bench.journal.head() == head)
  }

  @Test("§6.4 an entry that cannot be appended, or a trim that fails, is tried again with the next checkpoint only")
  func failures() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await keep(swarm, entries: 1)
    try await write(swarm, 5)
    try await swarm.saveCheckpoint()
    try await write(swarm, 5)
    bench.journal.willAppend(.refuses(.full("the disk")))
    try await swarm.saveCheckpoint()
    #expect(try await swarm.status().horizon == 0)
    #expect(try await bench.journal.checkpoints().map(\.revision) == [6, 11])
    bench.journal.willFailTrims(.failed("no"))
    try await write(swarm, 5)
    try await swarm.saveCheckpoint()
    await settle(swarm)
    // The entry is there, the journal not trimmed: what is before the horizon cannot be asked for all the same.
    #expect(try await commands(bench) == [.trim(to: 11)])
    #expect(try await swarm.status().horizon == 11)
    #expect(try await bench.journal.horizon() == 0)
    #expect(try await swarm.state.read("c", at: .revision(12)) != nil)
    try await write(swarm, 5)
    try await swarm.saveCheckpoint()
    await settle(swarm)
    #expect(try await bench.journal.horizon() == 11)
    try await swarm.close()
    #expect(await JournalAudit(of: bench.journal).problems == [])
  }

  @Test("§6.4 §10.1 a process that ends between the entry and the trim: the next opening finishes it")
  func cutShort() async throws {
    let bench = try await SwarmBench()
    var expected: SwarmState.Fingerprint?
    do {
      let swarm = try await bench.open()
      try await keep(swarm, entries: 1)
      try await write(swarm, 5)
      try await swarm.saveCheckpoint()
      try await write(swarm, 5)
      bench.journal.willFailTrims(.closed)
      try await swarm.saveCheckpoint()
      await settle(swarm)
      expected = await swarm.fingerprint
    }
    #expect(try await bench.journal.horizon() == 0)
    // Reading finds the horizon in the entries.
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == expected)
    #expect(try await reopened.status().horizon == 6)
    await settle(reopened)
    #expect(try await bench.journal.horizon() == 6)
    #expect(try await commands(bench) == [.trim(to: 6)])
  }

  @Test("§6.4 closing while the horizon is being moved waits for that, and for no more than that")
  func closingMeanwhile() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await keep(swarm, entries: 1)
    try await write(swarm, 5)
    try await swarm.saveCheckpoint()
    try await write(swarm, 5)
    bench.journal.appendGate.close()
    async let saving: Void = swarm.saveCheckpoint()
    await bench.journal.appendGate.untilHeld()
    async let closing: Void = swarm.close()
    while await swarm.stopped == nil { await Task.yield() }
    bench.journal.appendGate.open()
    try await saving
    try await closing
    #expect(try await bench.journal.horizon() == 6)
    #expect(try await bench.journal.checkpoint()?.revision == bench.journal.head())
    #expect(await swarm.trimming == nil)
  }

  @Test("§6.4 a swarm that stops while the horizon is being moved appends no more")
  func stoppingMeanwhile() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await keep(swarm, entries: 1)
    try await write(swarm, 5)
    try await swarm.saveCheckpoint()
    try await write(swarm, 5)
    bench.journal.willAppend(.refuses(.damaged("the disk")))
    await #expect(throws: SwarmError.engine(.damaged("the disk"))) { try await swarm.saveCheckpoint() }
    #expect(await swarmError { try await write(swarm, 1) } == .engine(.damaged("the disk")))
    #expect(try await bench.journal.head() == 11)
    try await swarm.close()
  }

  @Test(
    "§5.3 a reader beside that had not read what was trimmed goes on from a checkpoint, its followers with a snapshot")
  func readerBeside() async throws {
    let bench = try await SwarmBench()
    let writer = try await bench.open { $0.checkpointEntries = 10 }
    try await keep(writer, entries: 1)
    try await write(writer, 3, "gone")
    let reader = try await bench.open()
    let feed = FeedReader(reader.state.follow(since: .beginning))
    #expect(try await feed.next()?.changes.map(\.key.name.string) == ["gone"])
    try await writer.join(as: "alice").state.delete("gone")
    for _ in 0..<5 {
      try await write(writer, 10)
      await settle(writer)
    }
    #expect(try await bench.journal.horizon() > 4)
    async let waited = reader.state.atLeast(.revision(30), within: .seconds(60)).read("c")
    try await reader.refresh()
    #expect(await reader.fingerprint == writer.fingerprint)
    #expect(try await waited?.value == 50)
    let snapshot = try await feed.next()
    #expect(snapshot?.isSnapshot == true)
    #expect(snapshot?.changes.map(\.key.name.string) == ["c"])
    try await write(writer, 1)
    try await reader.refresh()
    #expect(try await feed.next()?.isSnapshot == false)
  }

  @Test("§6.4 history can be let go of at once; again, with nothing new, it does nothing")
  func byHand() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.checkpointEntries = 7 }
    try await write(swarm, 30)
    #expect(try await swarm.trimHistory() == 30)
    #expect(try await bench.journal.horizon() == 30)
    #expect(try await swarm.trimHistory() == 30)
    #expect(try await bench.journal.head() == 31)
    try await swarm.close()
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == swarm.fingerprint)
    #expect(try await reopened.trimHistory() == 30)
    try await write(reopened, 1)
    #expect(try await reopened.trimHistory() == 32)
    #expect(try await reopened.value("c") == 31)
    try await reopened.close()
    #expect(await JournalAudit(of: bench.journal).problems == [])
    let empty = try await SwarmBench().open()
    #expect(try await empty.trimHistory() == 0)
  }

  @Test("§6.4 letting go of history while others write, and twice at once")
  func byHandMeanwhile() async throws {
    let bench = try await SwarmBench(largestBatch: 3)
    let swarm = try await bench.open { $0.checkpointEntries = 5 }
    try await keep(swarm, entries: 3)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try await write(swarm, 40) } }
      for _ in 0..<4 { group.addTask { for _ in 0..<5 { try await swarm.trimHistory() } } }
      try await group.waitForAll()
    }
    #expect(try await swarm.value("c") == 160)
    try await swarm.close()
    #expect(await (try await bench.open()).fingerprint == swarm.fingerprint)
    #expect(await JournalAudit(of: bench.journal).problems == [])
  }
}
