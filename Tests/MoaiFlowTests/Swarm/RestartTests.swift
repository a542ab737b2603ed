import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Acknowledged writes are there after every kind of end (rule §10.1), over the journal in memory.
@Suite(.patience) struct RestartTests {
  private func write(_ swarm: Swarm, rounds: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["alice", "bob", "carol"] {
        let member = try await swarm.join(as: name)
        group.addTask {
          for round in 0..<rounds {
            try await member.state.increment("c")
            try await member.state.add(.string(UTF8String("\(name)-\(round)")), to: "s")
            try await member.state.put(.int(Int64(round)), field: name, in: "m")
            try await member.state.set("r/\(name)", to: .int(Int64(round)))
            if round % 7 == 3 { try await member.state.delete("r/\(name)") }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("§10.1 closed and opened: checkpoint, no tail, the same swarm")
  func closedAndOpened() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await write(swarm, rounds: 20)
    try await swarm.close()
    #expect(try await bench.journal.checkpoint()?.revision == bench.entries().count.revision)
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == swarm.fingerprint)
    #expect(try await reopened.value("c") == 60)
  }

  @Test("§10.1 dropped without closing: everything acknowledged is there")
  func dropped() async throws {
    let bench = try await SwarmBench()
    var expected: SwarmState.Fingerprint?
    do {
      let swarm = try await bench.open { $0.checkpointEntries = 50 }
      try await write(swarm, rounds: 20)
      expected = await swarm.fingerprint
    }
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == expected)
  }

  @Test("§10.1 opened many times in between, with checkpoints every few entries", arguments: [1, 3, 10])
  func openedManyTimes(checkpointEntries: Int) async throws {
    let bench = try await SwarmBench(largestBatch: 5)
    for round in 1...8 {
      let swarm = try await bench.open { $0.checkpointEntries = checkpointEntries }
      try await write(swarm, rounds: 4)
      #expect(try await swarm.value("c") == .int(Int64(12 * round)))
      if round % 3 == 0 { try await swarm.close() }
    }
    var replay = SwarmState(epoch: Epoch(0xE))
    try await replay.replay(bench.journal)
    #expect(await (try await bench.open()).fingerprint == replay.fingerprint)
  }

  @Test("§10.1 a checkpoint that fails costs nothing, and the next one that is saved is whole")
  func failingCheckpoints() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await write(swarm, rounds: 3)
    bench.journal.willFailSaves(.full("the disk"), .failed("again"))
    await #expect(throws: SwarmError.engine(.full("the disk"))) { try await swarm.saveCheckpoint() }
    try await write(swarm, rounds: 3)
    await #expect(throws: SwarmError.engine(.failed("again"))) { try await swarm.saveCheckpoint() }
    try await swarm.join(as: "dave").state.increment("c")
    try await swarm.saveCheckpoint()
    let loaded = try await SwarmState.loading(from: bench.journal)
    #expect(await loaded.fingerprint == swarm.fingerprint)
  }

  @Test(
    "§10.1 what is written while a checkpoint is being saved belongs to the next one, saved or not",
    arguments: [true, false])
  func writingDuringACheckpoint(isSaved: Bool) async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await write(swarm, rounds: 3)
    bench.journal.saveGate.close()
    if !isSaved { bench.journal.willFailSaves(.failed("no")) }
    async let saving: Void? = try? swarm.saveCheckpoint()
    await bench.journal.saveGate.untilHeld()
    try await write(swarm, rounds: 3)
    bench.journal.saveGate.open()
    _ = await saving
    let isThere = try await bench.journal.checkpoint() != nil
    #expect(isThere == isSaved)
    #expect(await (try await bench.open()).fingerprint == swarm.fingerprint)
    try await swarm.saveCheckpoint()
    #expect(await (try await SwarmState.loading(from: bench.journal)).fingerprint == swarm.fingerprint)
  }

  @Test("closing while a checkpoint is being saved waits for it and saves what came since")
  func closingDuringACheckpoint() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await write(swarm, rounds: 2)
    bench.journal.saveGate.close()
    async let saving: Void = swarm.saveCheckpoint()
    await bench.journal.saveGate.untilHeld()
    try await swarm.join(as: "dave").state.increment("c")
    async let closing: Void = swarm.close()
    while await swarm.stopped == nil { await Task.yield() }
    bench.journal.saveGate.open()
    try await saving
    try await closing
    #expect(try await bench.journal.checkpoint()?.revision == bench.entries().count.revision)
  }

  @Test("closing answers what is under way and refuses what comes later")
  func closingFinishesWhatIsUnderWay() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    bench.journal.appendGate.close()
    async let first = alice.state.increment("c")
    await bench.journal.appendGate.untilHeld()
    async let second = alice.state.increment("c")
    await swarm.untilPending(1)
    async let closing: Void = swarm.close()
    while await swarm.stopped == nil { await Task.yield() }
    await #expect(throws: SwarmError.closed) { try await alice.state.increment("c") }
    bench.journal.appendGate.open()
    #expect(try await [first.revision, second.revision] == [1, 2])
    try await closing
    try await swarm.close()
    #expect(try await bench.open().value("c") == 2)
  }

  @Test("§10.1 a command sent again after a restart counts once", arguments: [true, false])
  func retriedAfterRestart(isClosed: Bool) async throws {
    let bench = try await SwarmBench()
    let id = CommandID(high: 3, low: 3)
    var swarm = try await bench.open()
    let first = try await swarm.join(as: "alice").state.increment("c", id: id)
    if isClosed { try await swarm.close() }
    swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    #expect(try await alice.state.increment("c", id: id) == first)
    await #expect(throws: SwarmError.refused(.idempotencyMismatch)) {
      try await alice.state.increment("c", by: 2, id: id)
    }
    #expect(try await swarm.value("c") == 1)
    #expect(try await bench.entries().count == 1)
  }

  @Test("two callers with one command id at the same time count once")
  func sameIdAtTheSameTime() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    let results = try await withThrowingTaskGroup(of: KeyResult.self) { group in
      for _ in 0..<50 { group.addTask { try await alice.state.increment("c", id: CommandID(high: 4, low: 4)) } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(results.count == 1)
    #expect(try await swarm.value("c") == 1)
  }

  @Test("a base that only the journal remembers, and a value as it was then")
  func thePastIsInTheJournal() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.set("m", to: ["f": 0, "g": 0], type: .map)
    for index in 1...300 { try await alice.state.put(.int(Int64(index)), field: "f", in: "m") }
    let seen = Cursor(epoch: swarm.epoch, revision: 1)
    let bob = try await swarm.join(as: "bob")
    try await bob.state.set("m", to: ["f": 0, "h": 1], base: seen)
    #expect(try await swarm.value("m") == ["f": 300, "h": 1])
    #expect(try await swarm.state.read("m", at: .cursor(seen))?.value == ["f": 0, "g": 0])
    #expect(try await swarm.state.read("m", at: .revision(100))?.value == ["f": 99, "g": 0])
    #expect(try await swarm.state.read("m", at: .revision(0)) == nil)
    await #expect(throws: SwarmError.futureRevision(303, head: 302)) {
      try await swarm.state.read("m", at: .revision(303))
    }
  }
}

extension Int {
  fileprivate var revision: Revision { Revision(self) }
}
