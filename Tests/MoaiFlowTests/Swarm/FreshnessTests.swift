import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Readers that name the revision which their answer must have seen.
@Suite(.patience) struct FreshnessTests {
  private let clock = ManualClock()

  private func waiting(_ swarm: Swarm, for revision: Revision) -> StateReader {
    swarm.state.atLeast(.revision(revision), within: .seconds(5), clock: clock)
  }

  @Test("§5.7 what the swarm has already is answered at once, also after closing")
  func alreadyThere() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await swarm.join(as: "alice").state.increment("c")
    for revision: Revision in [0, 1] { #expect(try await waiting(swarm, for: revision).read("c")?.value == 1) }
    let cursor = try await swarm.status().cursor
    #expect(try await swarm.state.atLeast(.cursor(cursor), within: .zero).keys().keys.count == 1)
    try await swarm.close()
    #expect(try await waiting(swarm, for: 1).read("c")?.value == 1)
    #expect(clock.sleepers == 0)
  }

  @Test("§5.7 a reader is woken by the write that it waits for, not by one before")
  func ownWrites() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    async let reading = waiting(swarm, for: 3).read("c")
    await clock.untilSleeping()
    for _ in 0..<2 { try await alice.state.increment("c") }
    #expect(clock.sleepers == 1)
    try await alice.state.increment("c")
    #expect(try await reading?.value == 3)
    #expect(clock.sleepers == 0)
    #expect(await swarm.waiters.count == 0)
  }

  @Test(
    "§5.7 entries that another process wrote wake too, with the next write and by refreshing",
    arguments: [true, false])
  func foreignEntries(byRefreshing: Bool) async throws {
    let bench = try await SwarmBench()
    let other = try await bench.open()
    let swarm = try await bench.open()
    async let page = waiting(swarm, for: 2).changes(ChangesQuery(since: .beginning))
    await clock.untilSleeping()
    let bob = try await other.join(as: "bob")
    for _ in 0..<2 { try await bob.state.increment("c") }
    if byRefreshing { try await swarm.refresh() } else { try await swarm.join(as: "alice").state.increment("d") }
    #expect(try await page.changes.first?.key.name.string == "c")
    #expect(try await page.head >= 2)
  }

  @Test("§5.7 when the time is over the reader is told how far the swarm is; zero does not wait at all")
  func timeOut() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await swarm.join(as: "alice").state.increment("c")
    async let refused = swarmError { _ = try await waiting(swarm, for: 7).read("c") }
    await clock.untilSleeping()
    clock.advance(by: .milliseconds(4_999))
    #expect(clock.sleepers == 1)
    clock.advance(by: .milliseconds(1))
    #expect(await refused == .notReached(7, head: 1))
    #expect(await swarm.waiters.count == 0)
    let impatient = await swarmError {
      _ = try await swarm.state.atLeast(.revision(2), within: .zero, clock: clock).read("c")
    }
    #expect(impatient == .notReached(2, head: 1))
    #expect(clock.sleepers == 0)
  }

  @Test("§5.7 a cursor of another epoch is trimmed, whatever its number; a negative revision is invalid")
  func otherEpochs() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    try await swarm.join(as: "alice").state.increment("c")
    for revision: Revision in [0, 1, 9] {
      let cursor = Cursor(epoch: Epoch(1), revision: revision)
      let error = await swarmError { _ = try await swarm.state.atLeast(.cursor(cursor), within: .seconds(1)).read("c") }
      #expect(error == .trimmed("\(cursor) belongs to another epoch of this swarm; read again"))
    }
    let negative = await swarmError { _ = try await waiting(swarm, for: -1).read("c") }
    #expect(negative == .invalid(field: "/at_least", "-1 is no revision"))
  }

  @Test("§5.7 a cancelled reader leaves at once, also if it was cancelled before it came")
  func cancellation() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let reader = Task { await swarmError { _ = try await waiting(swarm, for: 1).read("c") } }
    await clock.untilSleeping()
    reader.cancel()
    #expect(await reader.value == .notReached(1, head: 0))
    let gate = Gate()
    gate.close()
    let late = Task {
      await gate.pass()
      return await swarmError { _ = try await waiting(swarm, for: 1).read("c") }
    }
    late.cancel()
    gate.open()
    #expect(await late.value == .notReached(1, head: 0))
    #expect(await swarm.waiters.count == 0)
  }

  @Test("§5.7 closing answers who was reached by what was under way, and sends the others away")
  func closing() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    async let reached = waiting(swarm, for: 1).read("c")
    async let closed = swarmError { _ = try await waiting(swarm, for: 2).read("c") }
    await clock.untilSleeping(2)
    bench.journal.appendGate.close()
    async let write = alice.state.increment("c")
    await bench.journal.appendGate.untilHeld()
    async let closing: Void = swarm.close()
    while await swarm.stopped == nil { await Task.yield() }
    bench.journal.appendGate.open()
    #expect(try await reached?.value == 1)
    #expect(await closed == .closed)
    _ = try await write
    try await closing
    #expect(await swarmError { _ = try await waiting(swarm, for: 2).read("c") } == .closed)
  }

  @Test("§5.7 a swarm that stops says why to whoever waits")
  func stopping() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    async let refused = swarmError { _ = try await waiting(swarm, for: 1).read("c") }
    await clock.untilSleeping()
    bench.journal.willAppend(.refuses(.damaged("the disk")))
    await #expect(throws: SwarmError.self) { try await swarm.join(as: "alice").state.increment("c") }
    #expect(await refused == .engine(.damaged("the disk")))
  }

  @Test("§5.7 the readers that wait are bounded; one more is told so, and one that leaves makes room")
  func bound() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.waitingReaders = 2 }
    let readers = (1...2).map { revision in
      Task { await swarmError { _ = try await waiting(swarm, for: Revision(revision)).read("c") } }
    }
    await clock.untilSleeping(2)
    #expect(await swarmError { _ = try await waiting(swarm, for: 1).read("c") } == .busy)
    readers[0].cancel()
    _ = await readers[0].value
    async let third = waiting(swarm, for: 1).read("c")
    await clock.untilSleeping(2)
    try await swarm.join(as: "alice").state.increment("c")
    #expect(try await third?.value == 1)
    readers[1].cancel()
    #expect(await readers[1].value == .notReached(2, head: 1))
  }

  @Test(
    "§5.7 many readers, each at its own revision: each is answered with what it asked for or more",
    arguments: 0..<20)
  func manyReaders(seed: Int) async throws {
    let bench = try await SwarmBench(largestBatch: 3)
    let swarm = try await bench.open()
    var random = SplitMix64(seed: UInt64(seed))
    let wanted = (0..<60).map { _ in Revision.random(in: 1...40, using: &random) }
    let dropped = wanted.indices.filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
    let readers = wanted.map { revision in
      Task { try await waiting(swarm, for: revision).read("c")?.value ?? .int(0) }
    }
    await clock.untilSleeping(wanted.count)
    for index in dropped { readers[index].cancel() }
    let alice = try await swarm.join(as: "alice")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<40 { group.addTask { try await alice.state.increment("c") } }
      try await group.waitForAll()
    }
    for (index, reader) in readers.enumerated() {
      let result = await reader.result
      guard case .success(.int(let count)) = result else {
        #expect(dropped.contains(index))
        continue
      }
      #expect(count >= wanted[index])
    }
    #expect(await swarm.waiters.count == 0)
    #expect(clock.sleepers == 0)
  }

  @Test("§5.7 the memory can be asked for at least a revision too")
  func memory() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    async let entry = swarm.memory.atLeast(.revision(1), within: .seconds(1), clock: clock).retrieve("k", from: "n")
    await clock.untilSleeping()
    try await alice.memory.store(5, as: "k", in: "n")
    #expect(try await entry?.value == 5)
  }
}
