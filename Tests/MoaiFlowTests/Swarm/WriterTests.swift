import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The writer loop and what it tells its callers when the journal does not do as told.
@Suite(.patience) struct WriterTests {
  @Test("a caller gets the outcome after its entry is durable and applied, and reads its own write")
  func readsItsOwnWrite() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    for step in 1...20 {
      let result = try await alice.state.increment("c")
      #expect(result.revision == Revision(step))
      #expect(try await swarm.value("c") == .int(Int64(step)))
      #expect(try await bench.entries().count == step)
    }
  }

  @Test("commands that wait share one append, in the order in which they came")
  func batches() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    bench.journal.appendGate.close()
    try await withThrowingTaskGroup(of: Revision.self) { group in
      let alice = try await swarm.join(as: "alice")
      group.addTask { try await alice.state.increment("c").revision }
      await bench.journal.appendGate.untilHeld()
      for waiting in 1...10 {
        group.addTask { try await alice.state.increment("c").revision }
        await swarm.untilPending(waiting)
      }
      // One append for the first, one for the ten; a third would fail.
      bench.journal.willAppend(.succeeds, .succeeds, .refuses(.failed("a third append")))
      bench.journal.appendGate.open()
      #expect(try await group.reduce(into: []) { $0.append($1) }.sorted() == Array(1...11))
    }
  }

  @Test("a journal that cuts batches to a prefix loses nothing and keeps the order", arguments: [1, 2, 3, 7])
  func cutBatches(largestBatch: Int) async throws {
    let bench = try await SwarmBench(largestBatch: largestBatch)
    let swarm = try await bench.open()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["alice", "bob", "carol", "dave"] {
        let member = try await swarm.join(as: name)
        group.addTask {
          for index in 0..<50 {
            try await member.state.increment("c")
            try await member.state.put(.int(Int64(index)), field: name, in: "m")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await swarm.value("c") == 200)
    #expect(try await swarm.value("m") == ["alice": 49, "bob": 49, "carol": 49, "dave": 49])
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == swarm.fingerprint)
  }

  @Test("what a cut batch leaves over goes before what came later")
  func orderAfterACut() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    bench.journal.appendGate.close()
    bench.journal.willAppend(.succeeds, .takes(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      func submit(_ number: UInt64, pending: Int) async throws {
        let state = try await swarm.join(as: "alice").state
        group.addTask { try await state.increment("c", id: CommandID(high: 0, low: number)) }
        if pending > 0 { await swarm.untilPending(pending) }
      }
      try await submit(0, pending: 0)
      await bench.journal.appendGate.untilHeld()
      for number in 1...3 { try await submit(UInt64(number), pending: number) }
      bench.journal.appendGate.letThrough()
      await bench.journal.appendGate.untilHeld()
      // The batch of 1, 2, 3 is on its way and will be cut to 1.
      for number in 4...5 { try await submit(UInt64(number), pending: number - 3) }
      bench.journal.appendGate.open()
      try await group.waitForAll()
    }
    #expect(try await bench.entries().map { try Entry(decoding: $0.payload).id.low } == [0, 1, 2, 3, 4, 5])
  }

  @Test("full: the callers of that batch are told, nothing is stored, and the next write goes through")
  func full() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    bench.journal.willAppend(.refuses(.full("the disk")))
    let told = await swarmError { try await alice.state.increment("c") }
    #expect(told == .engine(.full("the disk")))
    #expect(try await bench.entries().isEmpty)
    #expect(try await swarm.value("c") == nil)
    try await alice.state.increment("c", by: 5)
    #expect(try await swarm.value("c") == 5)
  }

  @Test("uncertain but stored: the caller gets its outcome")
  func uncertainButStored() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    bench.journal.willAppend(.storesThenThrows(.uncertain("the link broke")))
    let result = try await alice.state.increment("c", by: 5)
    #expect(result.revision == 1)
    #expect(try await swarm.value("c") == 5)
    #expect(try await alice.state.increment("c").revision == 2)
    #expect(await swarm.fingerprint == (try await bench.open()).fingerprint)
  }

  @Test("uncertain and not stored: the caller is told that it failed, and a retry under the same id counts once")
  func uncertainAndNotStored() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    let id = CommandID(high: 1, low: 1)
    bench.journal.willAppend(.refuses(.uncertain("the link broke")))
    let told = await swarmError { try await alice.state.increment("c", id: id) }
    #expect(told == .engine(.failed("the link broke")))
    #expect(try await bench.entries().isEmpty)
    try await alice.state.increment("c", id: id)
    try await alice.state.increment("c", id: id)
    #expect(try await swarm.value("c") == 1)
  }

  @Test("uncertain and unreadable: the caller is told so, those behind it too, and the swarm stops")
  func uncertainAndUnreadable() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    let id = CommandID(high: 1, low: 1)
    bench.journal.appendGate.close()
    bench.journal.willAppend(.storesThenThrows(.uncertain("the link broke")))
    bench.journal.willFailReads(.failed("still broken"))
    async let first = swarmError { try await alice.state.increment("c", id: id) }
    await bench.journal.appendGate.untilHeld()
    async let second = swarmError { try await alice.state.increment("c") }
    await swarm.untilPending(1)
    bench.journal.appendGate.open()
    #expect(await first == .outcomeUnknown("the link broke"))
    #expect(await second != nil, "a stopped swarm writes nothing more")
    #expect(await swarmError { try await alice.state.increment("c") } != nil)
    #expect(try await bench.entries().count == 1)
    // The next opening knows; the retry under the same id counts once.
    let reopened = try await bench.open()
    try await reopened.join(as: "alice").state.increment("c", id: id)
    #expect(try await reopened.value("c") == 1)
  }

  @Test("a corrupt answer stops the swarm: everybody waiting is told the revision, feeds end with it")
  func corrupt() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("c")
    let feed = FeedReader(swarm.state.follow(since: .head))
    async let attached = feed.next()
    while await swarm.subscribers.isEmpty { await Task.yield() }
    try await alice.state.increment("c")
    _ = try await attached
    bench.journal.appendGate.close()
    bench.journal.willAppend(.refuses(.corrupt(revision: 3, "a flipped bit")))
    async let first = swarmError { try await alice.state.increment("c") }
    await bench.journal.appendGate.untilHeld()
    async let second = swarmError { try await alice.state.increment("c") }
    await swarm.untilPending(1)
    bench.journal.appendGate.open()
    let expected = SwarmError.corrupt(revision: 3, "a flipped bit")
    #expect(await [first, second] == [expected, expected])
    #expect(await swarmError { try await alice.state.increment("c") } == expected)
    #expect(await swarmError { _ = try await swarm.value("c") } == expected)
    #expect(await swarmError { _ = try await feed.next() } == expected)
    try await swarm.close()
  }

  @Test("foreign entries between two batches are applied before our own, and their readers are told")
  func foreignEntries() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("c")
    let feed = FeedReader(swarm.state.follow(since: .head))
    let others = try (0..<3).map { index in
      Entry(
        author: try AgentID("zoe"), id: CommandID(high: 7, low: UInt64(index)), requestHash: 0,
        command: .state(.write([KeyWrite(key: try StateKey("c"), content: .operations([.increment(10)]))]))
      ).encoded()
    }
    async let attached = feed.next()
    while await swarm.subscribers.isEmpty { await Task.yield() }
    bench.journal.willAppend(.comesAfter(others))
    let result = try await alice.state.increment("c")
    #expect(result.revision == 5)
    #expect(result.version == 5)
    #expect(try await swarm.value("c") == 32)
    #expect(try await attached?.cursor?.revision == 2)
    #expect(try await feed.next()?.agent == (try AgentID("zoe")))
    #expect(await swarm.fingerprint == (try await bench.open()).fingerprint)
  }

  @Test("when foreign entries cannot be read at once, our own stored entry is not called failed")
  func foreignEntriesUnreadableForAMoment() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    let other = Entry(
      author: try AgentID("zoe"), id: CommandID(high: 7, low: 7), requestHash: 0,
      command: .state(.write([KeyWrite(key: try StateKey("c"), content: .operations([.increment(10)]))])))
    bench.journal.willAppend(.comesAfter([other.encoded()]))
    bench.journal.willFailReads(.failed("a hiccup"))
    let result = try await alice.state.increment("c")
    #expect(result.revision == 2)
    #expect(try await swarm.value("c") == 11)
  }

  @Test("a corrupt foreign entry stops the swarm at its revision")
  func corruptForeignEntry() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    bench.journal.willAppend(.comesAfter([[9, 9, 9]]))
    let told = await swarmError { try await alice.state.increment("c") }
    guard case .corrupt(let revision, _) = told else {
      Issue.record("told \(String(describing: told))")
      return
    }
    #expect(revision == 1)
    #expect(await swarmError { try await alice.state.increment("c") } == told)
  }

  @Test("a corrupt entry found while settling an uncertain append stops the swarm at its revision")
  func corruptWhileSettling() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    bench.journal.willAppend(.refuses(.uncertain("the link broke")))
    _ = try await bench.memory.open(.default).append([[9, 9, 9]])
    #expect(await swarmError { try await alice.state.increment("c") } == .outcomeUnknown("the link broke"))
    guard case .corrupt(let revision, _) = await swarmError({ try await alice.state.increment("c") }) else {
      Issue.record("the reason to stop is hidden")
      return
    }
    #expect(revision == 1)
  }

  @Test(
    "an engine that names a revision which cannot be is an error, not a crash", arguments: [0, 1, -1] as [Revision])
  func impossibleRevisions(claimed: Revision) async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("c")
    bench.journal.willAppend(.claims(firstRevision: claimed))
    guard case .corrupt = await swarmError({ try await alice.state.increment("c") }) else {
      Issue.record("no error")
      return
    }
  }

  @Test("a corrupt entry at opening stops with its revision")
  func corruptEntryAtOpening() async throws {
    let bench = try await SwarmBench()
    let alice = try await bench.open().join(as: "alice")
    for _ in 0..<4 { try await alice.state.increment("c") }
    _ = try await bench.memory.open(.default).append([[1, 2, 3]])
    guard case .corrupt(let revision, _) = await swarmError({ _ = try await bench.open() }) else {
      Issue.record("opened")
      return
    }
    #expect(revision == 5)
  }

  @Test("one more command than may wait is refused as busy, and accepted when some are answered")
  func busy() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.pendingEntries = 3 }
    let alice = try await swarm.join(as: "alice")
    bench.journal.appendGate.close()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await alice.state.increment("c") }
      await bench.journal.appendGate.untilHeld()
      for waiting in 1...3 {
        group.addTask { try await alice.state.increment("c") }
        await swarm.untilPending(waiting)
      }
      #expect(await swarmError { try await alice.state.increment("c") } == .busy)
      bench.journal.appendGate.open()
      try await group.waitForAll()
    }
    try await alice.state.increment("c")
    #expect(try await swarm.value("c") == 5)
  }

  @Test("a command that is larger than all that may wait is refused for good, not as busy")
  func tooLargeToEverWait() async throws {
    let swarm = try await SwarmBench().open { $0.pendingBytes = 2_000 }
    let alice = try await swarm.join(as: "alice")
    let text = StateValue.string(UTF8String(String(repeating: "x", count: 3_000)))
    guard case .invalid = await swarmError({ try await alice.state.add(text, to: "s") }) else {
      Issue.record("told to try again")
      return
    }
    try await alice.state.add("short", to: "s")
  }

  @Test("limits on keys, operations and values of one command are named, and make no entry")
  func limitsOfOneCommand() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    func field(_ writes: [WriteRequest]) async -> String? {
      guard case .invalid(let field, _) = await swarmError({ try await alice.state.perform(writes) }) else {
        return nil
      }
      return field
    }
    let key = try StateKey("k")
    let increment = StateOperation.increment(1)
    #expect(await field([]) == "/writes")
    #expect(await field(Array(repeating: WriteRequest(key, .operations([increment])), count: 1_001)) == "/writes")
    #expect(await field([WriteRequest(key, .operations([]))]) == "/ops")
    #expect(
      await field([
        WriteRequest(key, .operations([increment])),
        WriteRequest(key, .operations(Array(repeating: increment, count: 10_000))),
      ]) == "/writes/1")
    #expect(
      await field([WriteRequest(key, .value(.array((0..<10_001).map { .int($0) })), type: .set)]) == "")
    let large = StateValue.string(UTF8String(String(repeating: "x", count: 512 * 1024)))
    #expect(await field([WriteRequest(key, .operations([increment, .add(large)]))]) == "/ops/1/element")
    #expect(await field([WriteRequest(key, .operations([.put(field: "f", large)]))]) == "/ops/0/value")
    #expect(await field([WriteRequest(key, .operations([.assign(large)]))]) == "/ops/0/value")
    #expect(await field([WriteRequest(key, .value(large))]) == "/value")
    #expect(try await bench.entries().isEmpty)
    try await alice.state.perform([WriteRequest(key, .operations(Array(repeating: increment, count: 10_000)))])
    #expect(try await swarm.value("k") == 10_000)
    try await alice.state.perform(
      try (0..<1_000).map { WriteRequest(try StateKey("many/\($0)"), .operations([increment])) })
  }

  @Test("§4.5 a condition on a revision that has passed is answered without an entry")
  func hopelessConditions() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.set("r", to: 1)
    try await alice.state.set("r", to: 2)
    let key = try StateKey("r")
    #expect(
      await swarmError { try await alice.state.set("r", to: 3, ifRevision: 1) }
        == .refused(.state(.conditionFailed(key, current: 2))))
    try await alice.state.delete("r")
    #expect(
      await swarmError { try await alice.state.set("r", to: 3, ifRevision: 2) }
        == .refused(.state(.conditionFailed(key, current: 0))))
    #expect(try await bench.entries().count == 3)
    // Absence can come back, so it is judged by an entry.
    try await alice.state.set("r", to: 4)
    #expect(await swarmError { try await alice.state.set("r", to: 3, ifRevision: 0) } != nil)
    #expect(try await bench.entries().count == 5)
    // What holds is not hopeless.
    try await alice.state.set("r", to: 5, ifRevision: 4)
    #expect(try await swarm.value("r") == 5)
  }

  @Test("§1.1 names and keys from outside are refused with the field")
  func badNames() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    func field(_ work: () async throws -> Void) async -> String? {
      guard case .invalid(let field, _) = await swarmError(work) else { return nil }
      return field
    }
    #expect(await field { _ = try await swarm.join(as: "operator") } == "/agent_id")
    #expect(await field { try await alice.state.increment("") } == "/state_key")
    #expect(await field { _ = try await alice.state.read("a\nb") } == "/state_key")
    #expect(await field { _ = try await alice.state.keys(after: "..") } == "/state_key")
    #expect(await field { _ = try await alice.state.keys(limit: 0) } == "/limit")
    #expect(await field { _ = try await alice.state.changes(ChangesQuery(since: .beginning, limit: 0)) } == "/limit")
    #expect(
      await field { _ = try await alice.state.changes(ChangesQuery(since: .beginning, maxBytes: 0)) } == "/max_bytes")
    #expect(
      await field { _ = try await Swarm.open("Not-A-Swarm", in: OneJournalStore(journal: swarm.journal)) } == "/swarm")
  }
}
