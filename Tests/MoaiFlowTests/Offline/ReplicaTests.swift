import MoaiCRDT
import MoaiFlowTesting
import Synchronization
import Testing

@testable import MoaiFlow

/// An offline replica and a swarm (rule §5.6).
@Suite(.patience) struct ReplicaTests {
  @Test("§5.6 it reads and writes at once, then both sides exchange what the other lacks and are equal")
  func exchange() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.increment("c", by: 5)
    try await bob.state.set("m", to: ["a": 1, "b": 2], type: .map)
    let alice = try await bench.replica("alice")
    #expect(try await alice.read("c") == nil)
    try await alice.increment("c", by: 3)
    try await alice.add("x", to: "s")
    try await alice.set("r", to: "mine")
    #expect(try await alice.value("c") == 3)
    #expect(
      try await alice.read("s") == ReplicaReading(key: try StateKey("s"), value: ["x"], type: .set, isPending: true))
    let first = try await alice.exchange(with: swarm)
    #expect(first.sent == 3 && first.refused == [] && first.renumberings == [])
    #expect(try await alice.values == swarm.values())
    #expect(try await alice.value("c") == 8)
    #expect(await alice.unsentCount == 0)
    #expect(try await alice.read("s")?.isPending == false)
    try await bob.state.put(9, field: "b", in: "m")
    try await alice.put(7, field: "a", in: "m")
    try await alice.removeField("b", from: "m")
    #expect(try await alice.value("m") == ["a": 7])
    let second = try await alice.exchange(with: swarm)
    #expect(second.sent == 2 && second.received == 1)
    #expect(try await swarm.value("m") == ["a": 7, "b": 9], "the removal had not seen 9")
    #expect(try await alice.values == swarm.values())
    let idle = try await alice.exchange(with: swarm)
    #expect(idle.sent == 0 && idle.received == 0)
  }

  @Test("§4.2 what it shows before an exchange is what the journal comes to, for every type")
  func prediction() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.set("s", to: ["a", "b"], type: .set)
    try await bob.state.set("m", to: ["f": 1, "g": 2], type: .map)
    try await bob.state.set("r", to: "old")
    try await bob.state.increment("c", by: 10)
    try await bob.state.set("gone", to: 1)
    try await bob.state.set("again", to: ["x"], type: .set)
    let alice = try await bench.replica("alice")
    try await alice.exchange(with: swarm)
    bench.time.now += 1_000
    try await alice.remove("a", from: "s")
    try await alice.set("s", to: ["b", "c"])
    try await alice.set("m", to: ["g": 3], replacing: true)
    try await alice.set("r", to: "new")
    try await alice.set("c", to: 12)
    try await alice.delete("gone")
    try await alice.delete("again")
    try await alice.increment("again", by: 4)
    try await alice.delete("never")
    try await alice.set("empty", to: [], type: .set)
    let shown = await alice.values
    #expect(
      try shown == [
        StateKey("s"): ["b", "c"], StateKey("m"): ["g": 3], StateKey("r"): "new", StateKey("c"): 12,
        StateKey("again"): 4, StateKey("empty"): [],
      ])
    try await alice.exchange(with: swarm)
    #expect(try await swarm.values() == shown)
    #expect(await alice.values == shown)
  }

  @Test("§5.6 it survives restarts at every point, with what it wrote and what it has")
  func restarts() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    let store = InMemoryReplicaStore()
    var alice = try await bench.replica("alice", in: store)
    func restart() async throws {
      let before = await alice.fingerprint
      alice = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
      #expect(await alice.fingerprint == before)
      alice = try await bench.replica("alice", in: store)
    }
    try await restart()
    try await alice.increment("c", by: 1)
    try await restart()
    try await alice.put(1, field: "f", in: "m")
    try await bob.state.put(2, field: "g", in: "m")
    try await alice.exchange(with: swarm)
    try await restart()
    try await alice.removeField("g", from: "m")
    try await alice.delete("c")
    try await alice.increment("c", by: 2)
    try await restart()
    #expect(try await alice.value("m") == ["f": 1])
    try await alice.exchange(with: swarm)
    try await restart()
    #expect(try await alice.values == swarm.values())
    #expect(try await swarm.value("c") == 2)
  }

  @Test("§5.6 an answer that is lost is asked for again; nothing is counted twice")
  func lostAnswers() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    for _ in 0..<5 { try await alice.increment("c", by: 1) }
    let lossy = LossyConnection(swarm)
    for _ in 0..<5 {
      await #expect(throws: ReplicaError.self) { try await alice.exchange(with: lossy) }
      #expect(try await alice.value("c") == 5)
    }
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("c") == 5)
    #expect(try await alice.value("c") == 5)
  }

  @Test("§5.6 a delta that a rule refuses is told, listed, and resolved; the ones behind it go on")
  func refusedDeltas() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    let alice = try await bench.replica("alice")
    try await alice.add("x", to: "k")
    try await alice.increment("c", by: 1)
    try await bob.state.increment("k", by: 1)
    let report = try await alice.exchange(with: swarm)
    #expect(report.sent == 2)
    let kept = try #require(report.refused.first)
    #expect(kept.refusal == .state(.typeMismatch(try StateKey("k"), holds: .counter, asked: .set)))
    #expect(await alice.refused == [kept])
    #expect(try await swarm.replicas().first?.kept == [kept])
    #expect(try await alice.values == swarm.values())
    let reopened = try await bench.replica("carol")
    #expect(await reopened.refused == [])
    try await alice.resolve(kept, with: swarm)
    #expect(await alice.refused == [])
    #expect(try await swarm.replicas().first?.kept == [])
  }

  @Test("§5.6 what was sent is kept until a checkpoint covers it")
  func checkpointCovers() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    #expect(await alice.state.log.count == 1)
    try await swarm.saveCheckpoint()
    try await alice.exchange(with: swarm)
    #expect(await alice.state.log.count == 0)
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("c") == 2)
  }

  @Test("§5.6 a copied folder is noticed: the second copy goes on under a new id, and no write is lost or doubled")
  func forks() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    try await alice.increment("c", by: 10)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await alice.increment("c", by: 100)
    try await copy.increment("c", by: 1_000)
    try await copy.increment("c", by: 10_000)
    try await alice.exchange(with: swarm)
    let report = try await copy.exchange(with: swarm)
    #expect(report.renumberings.map(\.reason) == [.forked])
    #expect(try await swarm.value("c") == 11_111, "the write that both copies have counts once")
    try await alice.exchange(with: swarm)
    #expect(try await alice.value("c") == 11_111)
    #expect(try await copy.value("c") == 11_111)
    #expect(await alice.id != copy.id)
  }

  @Test("§5.6 an old copy of the folder that comes back sends nothing again")
  func oldCopy() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    for _ in 0..<3 { try await alice.increment("c", by: 1) }
    let old = InMemoryReplicaStore(copying: store)
    for _ in 0..<3 { try await alice.increment("c", by: 1) }
    try await alice.exchange(with: swarm)
    let restored = try await bench.replica("alice", in: old)
    let report = try await restored.exchange(with: swarm)
    #expect(report.sent == 0)
    #expect(try await swarm.value("c") == 6)
    try await restored.increment("c", by: 1)
    try await restored.exchange(with: swarm)
    #expect(try await swarm.value("c") == 7)
    #expect(try await restored.value("c") == 7)
  }

  @Test("§5.6 an old copy from before a new id was taken numbers the same writes alike: they count once")
  func oldCopyOfAFork() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    let fork = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await fork.increment("c", by: 1)
    try await fork.exchange(with: swarm)
    try await alice.increment("c", by: 10)
    let old = InMemoryReplicaStore(copying: store)
    #expect(try await alice.exchange(with: swarm).renumberings.map(\.reason) == [.forked])
    let again = try await bench.replica("alice", in: old)
    try await again.exchange(with: swarm)
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("c") == 11)
    #expect(try await alice.value("c") == 11)
  }

  @Test("§5.6 what is numbered anew has still seen what the replica wrote before: a removal removes it")
  func seenAcrossIDs() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.add("x", to: "s")
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await alice.add("y", to: "s")
    try await alice.exchange(with: swarm)
    try await copy.remove("x", from: "s")
    #expect(try await copy.exchange(with: swarm).renumberings.map(\.reason) == [.forked])
    #expect(try await swarm.value("s") == ["y"])
    #expect(try await copy.value("s") == ["y"])
  }

  @Test("§4.3 a copy does not claim to have seen what the other one wrote under the id that both had")
  func unseenAcrossCopies() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.add("first", to: "other")
    try await alice.exchange(with: swarm)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await alice.put(1, field: "f", in: "m")
    try await alice.exchange(with: swarm)
    try await copy.add("a", to: "other")
    try await copy.add("b", to: "other")
    let broken = LossyConnection(swarm)
    await #expect(throws: ReplicaError.self) { try await copy.exchange(with: broken) }
    try await copy.removeField("f", from: "m")
    try await copy.put(2, field: "g", in: "m")
    try await copy.exchange(with: swarm)
    #expect(try await swarm.value("m") == ["f": 1, "g": 2])
  }

  @Test("§5.3 §5.6 a key that changes while a pass goes on is counted once")
  func changedDuringThePass() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.increment("n", by: 10)
    try await bob.state.set("s", to: ["a"], type: .set)
    let cursor = Cursor(epoch: swarm.epoch, revision: 2)
    func page(_ start: ChangesStart) async throws -> ChangesPage {
      try await swarm.state.changes(ChangesQuery(since: start, limit: 1, withOrigins: true))
    }
    var mirror = ReplicaMirror()
    _ = try mirror.apply([try await swarm.state.changes(ChangesQuery(since: .beginning, withOrigins: true))])
    try await bob.state.increment("n", by: 3)
    try await bob.state.add("x", to: "s")
    var pages = [try await page(.after(.cursor(cursor)))]
    try await bob.state.increment("n", by: 2)
    while let next = pages.last?.next { pages.append(try await page(.page(next))) }
    #expect(pages.flatMap(\.changes).map(\.key.name.string) == ["n", "s", "n"])
    _ = try mirror.apply(pages)
    #expect(mirror.keys[try StateKey("n")]?.sum == 15)
  }

  @Test("§1.6 a clock that was wrong once and was set right does not make all later writes come from the future")
  func clockSetRight() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    bench.time.now += 86_400_000
    try await alice.increment("c", by: 1)
    bench.time.now -= 86_400_000
    try await alice.increment("c", by: 10)
    #expect(try await alice.exchange(with: swarm).refused.count == 1)
    #expect(try await swarm.value("c") == 10)
  }

  @Test("§5.6 a refusal whose answer was lost is told, also when the id is given up meanwhile")
  func lostRefusal() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    try await swarm.join(as: "bob").state.increment("k", by: 1)
    let alice = try await bench.replica("alice")
    try await alice.add("x", to: "k")
    let lossy = LossyConnection(swarm)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: lossy) }
    try await swarm.closeReplica(alice.id)
    let report = try await alice.exchange(with: swarm)
    #expect(report.refused.count == 1)
    #expect(await alice.refused.count == 1)
  }

  @Test("§5.6 a write that a lowered limit refuses is kept, and does not hold up the ones behind it")
  func loweredLimit() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.set("r", to: .string(UTF8String(String(repeating: "x", count: 700))))
    try await alice.increment("c", by: 1)
    try await swarm.replaceSettings(SwarmSettings(limits: SwarmLimits(valueBytes: 100)))
    #expect(try await alice.exchange(with: swarm).refused.count == 1)
    #expect(try await swarm.value("c") == 1)
  }

  @Test("§5.6 a replica that was closed while it was away goes on under a new id")
  func closedReplica() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    let old = await alice.id
    try await swarm.closeReplica(old)
    try await alice.increment("c", by: 1)
    let report = try await alice.exchange(with: swarm)
    #expect(report.renumberings.map(\.reason) == [.closed])
    #expect(try await swarm.value("c") == 2)
    #expect(try await alice.value("c") == 2)
  }

  @Test("§5.6 what another replica brings while changes are on their way is not counted twice")
  func meetingDuringAnExchange() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.increment("c", by: 5)
    let alice = try await bench.replica("alice")
    let carol = try await bench.replica("carol")
    try await alice.exchange(with: swarm)
    try await bob.state.increment("c", by: 3)
    try await carol.exchange(with: swarm)
    try await alice.exchange(with: InterruptedConnection(swarm: swarm) { _ = try? await carol.exchange(with: alice) })
    #expect(try await alice.value("c") == 8)
  }

  @Test("§5.6 a replica that takes a new id goes on showing what the journal has under the old one")
  func renumberedBeforeTheChangesCame() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.increment("c", by: 1)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: LossyConnection(swarm)) }
    try await swarm.closeReplica(alice.id)
    try await alice.increment("c", by: 1)
    let cut = InterruptedConnection(swarm: swarm) { () throws(SwarmError) in throw .outcomeUnknown("the line is dead") }
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: cut) }
    #expect(try await alice.value("c") == 2)
    #expect(try await swarm.value("c") == 2)
  }

  @Test("§4.6 spending offline needs a right that was reserved; without one it fails at once")
  func rights() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let policy = KeyPolicy(pattern: GlobPattern("budget"), type: .counter, bounds: CounterBounds(minimum: 0))
    try await swarm.replaceSettings(SwarmSettings(policies: [policy]))
    let bob = try await swarm.join(as: "bob")
    try await bob.state.increment("budget", by: 10)
    let store = InMemoryReplicaStore()
    var alice = try await bench.replica("alice", in: store)
    try await alice.exchange(with: swarm)
    let error = await #expect(throws: ReplicaError.self) { try await alice.increment("budget", by: -1) }
    #expect(error == .noRights(try StateKey("budget"), has: CounterRight()))
    #expect(try await alice.reserve(CounterRight(down: 6), of: "budget", from: swarm) == CounterRight(down: 6))
    try await alice.increment("budget", by: -4)
    alice = try await bench.replica("alice", in: store)
    await #expect(throws: ReplicaError.self) { try await alice.increment("budget", by: -3) }
    try await alice.increment("budget", by: -2)
    await #expect(throws: SwarmError.self) { try await bob.state.increment("budget", by: -5) }
    try await bob.state.increment("budget", by: -4)
    let report = try await alice.exchange(with: swarm)
    #expect(report.refused == [])
    #expect(try await swarm.value("budget") == 0)
    #expect(await alice.rights == [:])
    try await alice.increment("budget", by: 5)
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("budget") == 5)
  }

  @Test("§5.6 after a restore of an older backup, deltas that are still kept are sent again, and the snapshot replaces")
  func restoredSwarm() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.increment("c", by: 100)
    let alice = try await bench.replica("alice")
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    let backup = try await bench.swarmBench.entries()
    try await alice.increment("c", by: 2)
    try await alice.exchange(with: swarm)
    try await bob.state.set("later", to: true)
    try await alice.increment("c", by: 4)
    let store = InMemoryStore(now: { 1_700_000_000_500 }, newEpoch: { Epoch(0xF) })
    try await store.delete(.default)
    _ = try await store.restore(.default, entries: backup)
    let restored = try await Swarm.open(in: store)
    let report = try await alice.exchange(with: restored)
    #expect(report.isSnapshot)
    #expect(try await restored.value("c") == 107)
    #expect(try await alice.values == restored.values())
  }

  @Test("§5.6 what breaks a rule is refused before anything is written")
  func invalidWrites() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.add("x", to: "s")
    let before = await alice.fingerprint
    await #expect(throws: ReplicaError.typeMismatch(try StateKey("s"), holds: .set, asked: .counter)) {
      try await alice.increment("s")
    }
    let key = try StateKey("k")
    let bad: [[WriteRequest]] = [
      [], [WriteRequest(key, .share(1))], [WriteRequest(key, .operations([]))],
      [WriteRequest(key, .value(1), base: .revision(0))], [WriteRequest(key, .value(1), ifRevision: .revision(0))],
      [WriteRequest(key, .operations([.increment(1)])), WriteRequest(key, .operations([.increment(1)]))],
      [WriteRequest(key, .operations([.increment(1), .add("x")]))],
      [WriteRequest(key, .value("x"), type: .set)],
      [WriteRequest(key, .operations([.put(field: "f", .string(UTF8String(String(repeating: "x", count: 600_000))))]))],
    ]
    for requests in bad { await #expect(throws: ReplicaError.self) { try await alice.perform(requests) } }
    await #expect(throws: ReplicaError.self) { try await alice.increment("", by: 1) }
    await #expect(throws: ReplicaError.self) { _ = try await bench.replica("not/a/name") }
    #expect(await alice.fingerprint == before)
    try await alice.exchange(with: swarm)
    #expect(try await alice.values == swarm.values())
  }

  @Test("§5.6 a store that fails takes nothing; what was answered before is there, and the replica goes on")
  func failingStore() async throws {
    let bench = try await ReplicaBench()
    let store = FailingReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.increment("c", by: 1)
    store.failure.withLock { $0 = .full("disk") }
    await #expect(throws: ReplicaError.store(.full("disk"))) { try await alice.increment("c", by: 10) }
    #expect(try await alice.value("c") == 1)
    store.failure.withLock { $0 = nil }
    try await alice.increment("c", by: 100)
    #expect(try await alice.value("c") == 101)
    let swarm = try await bench.swarmBench.open()
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("c") == 101)
  }
}
