import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Replicas that meet without the swarm (rule §5.6).
@Suite(.patience) struct ReplicaPeerTests {
  @Test("§5.6 two replicas exchange what each lacks and show the same; concurrent adds win, the later put is shown")
  func twoReplicas() async throws {
    let bench = try await ReplicaBench()
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.add("x", to: "s")
    try await alice.put(1, field: "f", in: "m")
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: bob)
    bench.time.now += 10
    try await bob.remove("x", from: "s")
    try await alice.add("x", to: "s")
    try await alice.put(2, field: "f", in: "m")
    bench.time.now += 10
    try await bob.put(3, field: "f", in: "m")
    try await bob.increment("c", by: 10)
    try await bob.exchange(with: alice)
    for replica in [alice, bob] {
      #expect(try await replica.value("s") == ["x"])
      #expect(try await replica.value("m") == ["f": 3])
      #expect(try await replica.value("c") == 11)
    }
    let swarm = try await bench.swarmBench.open()
    try await bob.exchange(with: swarm)
    try await alice.exchange(with: swarm)
    try await bob.exchange(with: swarm)
    #expect(try await alice.values == swarm.values())
    #expect(try await bob.values == swarm.values())
    #expect(try await swarm.value("s") == ["x"])
    #expect(try await swarm.value("m") == ["f": 3])
    #expect(try await swarm.value("c") == 11)
  }

  @Test("§5.6 a removal of what another replica wrote reaches the journal with what its writer had seen")
  func seenThroughPeers() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.add("x", to: "s")
    try await alice.add("y", to: "s")
    try await bob.exchange(with: alice)
    try await bob.remove("x", from: "s")
    try await alice.exchange(with: swarm)
    try await bob.exchange(with: swarm)
    #expect(try await swarm.value("s") == ["y"])
  }

  @Test("§5.6 one that was online lends what it has of the swarm to one that was not")
  func lendingTheMirror() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let carol = try await swarm.join(as: "carol")
    try await carol.state.set("m", to: ["a": 1, "b": 2], type: .map)
    try await carol.state.set("gone", to: 1)
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.exchange(with: swarm)
    try await bob.put(5, field: "c", in: "m")
    try await bob.exchange(with: alice)
    for replica in [alice, bob] { #expect(try await replica.value("m") == ["a": 1, "b": 2, "c": 5]) }
    #expect(await bob.cursor == alice.cursor)
    try await carol.state.delete("gone")
    try await carol.state.put(3, field: "b", in: "m")
    try await alice.exchange(with: swarm)
    try await alice.exchange(with: bob)
    #expect(try await bob.value("gone") == nil)
    #expect(try await bob.value("m") == ["a": 1, "b": 3, "c": 5])
    try await bob.exchange(with: swarm)
    try await alice.exchange(with: swarm)
    #expect(try await alice.values == swarm.values())
    #expect(try await bob.values == swarm.values())
  }

  @Test("§5.6 changes that were asked for before another replica lent newer ones are not counted again")
  func lentMeanwhile() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let carol = try await swarm.join(as: "carol")
    try await carol.state.increment("c", by: 1)
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.exchange(with: swarm)
    try await carol.state.increment("c", by: 2)
    try await bob.exchange(with: swarm)
    let line = InterruptedConnection(swarm: swarm) {
      if let news = try? await bob.update(for: alice.summary()) { try? await alice.take(news) }
    }
    try await alice.exchange(with: line)
    #expect(try await alice.value("c") == 3)
  }

  @Test("§5.6 what is deleted while an exchange is under way stays deleted, and goes along (seed 355)")
  func deletedMeanwhile() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.increment("c", by: 5)
    try await alice.add("x", to: "s")
    let line = InterruptedConnection(swarm: swarm) {
      try? await alice.delete("c")
      try? await alice.remove("x", from: "s")
    }
    try await alice.exchange(with: line)
    #expect(try await alice.values == [StateKey("s"): []])
    #expect(try await alice.values == swarm.values())
  }

  @Test("§5.6 a replica that began with a copy of the swarm tells nobody that it knows of no deletions before it")
  func deletionsBefore() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let carol = try await swarm.join(as: "carol")
    try await carol.state.set("gone", to: 1)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: swarm)
    try await carol.state.delete("gone")
    let alice = try await bench.replica("alice")
    try await alice.exchange(with: swarm)
    try await alice.exchange(with: bob)
    #expect(try await bob.value("gone") == nil)
  }

  @Test("§5.6 a replica that had the swarm when it was empty knows of no deletions of the first pass")
  func deletionsSinceTheBeginning() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let carol = try await swarm.join(as: "carol")
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.exchange(with: swarm)
    try await carol.state.add("x", to: "gone")
    try await bob.exchange(with: swarm)
    try await carol.state.delete("gone")
    try await alice.exchange(with: swarm)
    try await bob.exchange(with: alice)
    #expect(try await bob.values == swarm.values())
  }

  @Test("§5.6 a replica that hears of its own closing goes on showing what it has not sent, and counts it once")
  func closedWhileAway() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.exchange(with: swarm)
    try await alice.increment("c", by: 5)
    try await swarm.closeReplica(alice.id)
    try await bob.exchange(with: swarm)
    try await bob.exchange(with: alice)
    try await alice.exchange(with: bob)
    #expect(try await alice.value("c") == 5)
    try await alice.set("c", to: 5)
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("c") == 5)
    #expect(try await alice.value("c") == 5)
  }

  @Test("§5.6 writes of this replica that it never made, met through others, are a fork, wherever they stand")
  func forkMetThroughOthers() async throws {
    let bench = try await ReplicaBench()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.add("x", to: "s")
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: copy)
    try await copy.add("y", to: "s")
    try await bob.exchange(with: copy)
    await #expect(throws: ReplicaError.refused(.forked(alice.id, first: 3))) { try await alice.exchange(with: bob) }
    try await alice.add("z", to: "s")
    #expect(try await alice.value("s") == ["x", "z"])
  }

  @Test("§5.6 a forked id is closed, so that a third replica does not go on showing writes that come under another")
  func forkedWritesElsewhere() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    let bob = try await bench.replica("bob")
    try await alice.increment("c", by: 1)
    try await copy.increment("c", by: 10)
    try await copy.increment("c", by: 100)
    try await bob.exchange(with: copy)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: copy) }
    for replica in [alice, copy, alice, bob] { try await replica.exchange(with: swarm) }
    #expect(try await swarm.value("c") == 111)
    for replica in [alice, copy, bob] {
      try await replica.exchange(with: swarm)
      #expect(try await replica.value("c") == 111)
    }
  }

  @Test(
    "§5.6 a replica that was met, and lost its files before the swarm knew it, is listed, and is over when it is closed"
  )
  func lostBeforeTheSwarmKnew() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.increment("c", by: 1)
    try await bob.increment("c", by: 10)
    try await bob.exchange(with: alice)
    try await bob.exchange(with: swarm)
    #expect(try await bob.value("c") == 11)
    let listed = try #require(try await swarm.replicas().first { $0.isOnlyAnnounced })
    let id = await alice.id
    #expect(listed.replica == id)
    try await swarm.closeReplica(listed.replica)
    try await bob.exchange(with: swarm)
    #expect(try await bob.value("c") == 10)
    #expect(try await bob.values == swarm.values())
  }

  @Test("§5.6 a replica that was announced by another, and comes itself, sends what it wrote under its own id")
  func announcedAndCome() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.increment("c", by: 1)
    try await bob.exchange(with: alice)
    try await bob.exchange(with: swarm)
    #expect(try await alice.exchange(with: swarm).renumberings == [])
    try await bob.exchange(with: swarm)
    for value in [try await swarm.value("c"), try await bob.value("c")] { #expect(value == 1) }
    #expect(try await swarm.replicas().map(\.isOnlyAnnounced) == [false])
  }

  @Test("§5.6 writes that were met and that an old copy of the files has lost are over when the replica has come home")
  func metAndLost() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let lost = try await bench.replica("alice", in: store)
    try await lost.increment("c", by: 1)
    let old = InMemoryReplicaStore(copying: store)
    try await lost.increment("c", by: 10)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: lost)
    let alice = try await bench.replica("alice", in: old)
    try await bob.exchange(with: swarm)
    #expect(try await bob.value("c") == 11)
    #expect(try await alice.exchange(with: swarm).renumberings.map(\.reason) == [.forked])
    try await alice.increment("c", by: 100)
    try await alice.exchange(with: swarm)
    try await bob.exchange(with: swarm)
    for value in [try await swarm.value("c"), try await alice.value("c"), try await bob.value("c")] {
      #expect(value == 101)
    }
  }

  @Test("§5.6 a replica that met writes of its own that it never made gives its id up at its next exchange")
  func forkIsOverAfterAnExchange() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await copy.increment("c", by: 1)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: copy)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: bob) }
    #expect(try await alice.exchange(with: swarm).renumberings.map(\.reason) == [.forked])
    try await alice.exchange(with: bob)
    try await alice.increment("c", by: 10)
    try await bob.exchange(with: alice)
    #expect(try await bob.value("c") == 10, "what the copy wrote is not with the id that alice gave up")
  }

  @Test("§5.6 what a copy sends while a replica learns of it is not sent again under another id (seeds 1005, 14770)")
  func copyIsFaster() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.increment("c", by: 1)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await copy.increment("c", by: 10)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: copy)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: bob) }
    let line = InterruptedConnection(swarm: swarm, moment: .replica) { _ = try? await copy.exchange(with: swarm) }
    try await alice.exchange(with: line)
    for replica in [copy, alice, bob] { try await replica.exchange(with: swarm) }
    #expect(try await swarm.value("c") == 11)
    for replica in [copy, alice, bob] {
      try await replica.exchange(with: swarm)
      #expect(try await replica.value("c") == 11)
    }
  }

  @Test("§5.6 an id that was given up is closed again where a restore has forgotten that it was (seed 33564)")
  func closedBeforeTheRestore() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = InMemoryReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    let copy = try await bench.replica("alice", in: InMemoryReplicaStore(copying: store))
    try await copy.increment("c", by: 1)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: copy)
    await #expect(throws: ReplicaError.self) { try await alice.exchange(with: bob) }
    let line = InterruptedConnection(swarm: swarm) { () throws(SwarmError) in throw .busy }
    await #expect(throws: ReplicaError.swarm(.busy)) { try await alice.exchange(with: line) }
    let restored = try await SwarmBench(epoch: 0xF).open()
    for replica in [alice, bob] { try await replica.exchange(with: restored) }
    #expect(try await bob.values == restored.values())
  }

  @Test("§5.6 a key that was deleted here, and that others have emptied meanwhile, is not shown (seed 83926)")
  func deletedAndEmptied() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let dave = try await swarm.join(as: "dave")
    try await dave.state.put(1, field: "f", in: "m")
    let alice = try await bench.replica("alice")
    let bob = try await bench.replica("bob")
    try await alice.exchange(with: swarm)
    try await alice.delete("m")
    try await dave.state.removeField("f", from: "m")
    try await bob.exchange(with: swarm)
    try await alice.exchange(with: bob)
    #expect(try await alice.value("m") == nil)
    try await alice.exchange(with: swarm)
    #expect(try await swarm.value("m") == nil)
  }

  @Test("§5.6 what was stored under an old id says nothing of the new one (seed 83027)")
  func storedUnderAnOldID() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let store = GatedReplicaStore()
    let alice = try await bench.replica("alice", in: store)
    try await alice.increment("c", by: 1)
    try await alice.exchange(with: swarm)
    try await swarm.closeReplica(alice.id)
    let first = await alice.id
    store.gate.close()
    let exchange = Task { try await alice.exchange(with: swarm) }
    await store.gate.untilHeld()
    // The first commit of the exchange, or the one after the renumbering: both wait at the gate in turn.
    while await alice.id == first {
      store.gate.letThrough()
      await store.gate.untilHeld()
    }
    #expect(await alice.place.stored == 0)
    store.gate.open()
    _ = try await exchange.value
    #expect(await alice.place.id != first)
  }

  @Test("§5.6 replicas of other swarms, and of another epoch, are refused")
  func strangers() async throws {
    let bench = try await ReplicaBench()
    let alice = try await bench.replica("alice")
    let other = try await Replica.open(
      as: "bob", of: "elsewhere", in: InMemoryReplicaStore(), sources: bench.sources)
    await #expect(throws: ReplicaError.otherSwarm(try SwarmName("default"))) { try await alice.exchange(with: other) }
    let swarm = try await bench.swarmBench.open()
    try await alice.exchange(with: swarm)
    let second = try await SwarmBench(epoch: 0xF)
    let bob = try await bench.replica("bob")
    try await bob.exchange(with: try await second.open())
    await #expect(throws: ReplicaError.otherEpoch(Epoch(0xE))) { try await alice.exchange(with: bob) }
  }

  @Test("§5.6 messages between replicas survive their bytes; damaged ones are refused, not trapped on")
  func bytes() async throws {
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let alice = try await bench.replica("alice")
    try await alice.set("m", to: ["a": 1.5, "b": "text", "c": ["nested"]], type: .map)
    try await alice.exchange(with: swarm)
    try await alice.add("x", to: "s")
    try await alice.add(2, to: "s")
    try await alice.increment("c", by: -4)
    try await alice.delete("m")
    try await alice.set("r", to: "value")
    let bob = try await bench.replica("bob")
    let summary = try await bob.summary()
    #expect(try PeerSummary(decoding: summary.encoded()).encoded() == summary.encoded())
    let update = try await alice.update(for: summary).encoded()
    #expect(try PeerUpdate(decoding: update).encoded() == update)
    for cut in update.indices {
      #expect(throws: DecodingFailure.self) { try PeerUpdate(decoding: Array(update[..<cut])) }
    }
    var random = SplitMix64(seed: 3)
    for _ in 0..<2_000 {
      var damaged = update
      damaged[random.below(damaged.count)] ^= UInt8(1 + random.below(255))
      if let read = try? PeerUpdate(decoding: damaged) {
        #expect(try PeerUpdate(decoding: read.encoded()).encoded() == read.encoded())
      }
    }
    try await bob.take(try PeerUpdate(decoding: update))
    #expect(await bob.values == alice.values)
  }

  @Test(
    "§5.6 replicas that write, meet and go online at random end equal, and counters hold every increment once",
    arguments: 0..<60)
  func random(seed: Int) async throws {
    var random = SplitMix64(seed: UInt64(seed))
    let bench = try await ReplicaBench()
    let swarm = try await bench.swarmBench.open()
    let bob = try await swarm.join(as: "bob")
    var stores: [InMemoryReplicaStore] = []
    var replicas: [Replica] = []
    for number in 0..<3 {
      stores.append(InMemoryReplicaStore())
      replicas.append(try await bench.replica("agent-\(number)", in: stores[number]))
    }
    var counted: Int64 = 0
    for _ in 0..<60 {
      bench.time.now += Int64(random.below(50))
      let index = random.below(replicas.count)
      let replica = replicas[index]
      let element = StateValue.int(Int64(random.below(4)))
      let field = UTF8String("f\(random.below(4))")
      switch random.below(14) {
      case 0, 1:
        try await replica.increment("c", by: 1)
        counted += 1
      case 2, 3: try await replica.add(element, to: "s")
      case 4: try await replica.remove(element, from: "s")
      case 5, 6: try await replica.put(element, field: field.string, in: "m")
      case 7: try await replica.removeField(field.string, from: "m")
      case 8: try await replica.set("r", to: element)
      case 9: try await replica.delete(["s", "m", "r"][random.below(3)])
      case 10:
        try await bob.state.add(element, to: "s")
        try await bob.state.put(element, field: field.string, in: "m")
      case 11: replicas[index] = try await bench.replica("agent-\(index)", in: stores[index])
      case 12: try await replica.exchange(with: replicas[(index + 1) % 3])
      default:
        try await replica.exchange(with: swarm)
        // What it has from others that did not go online yet, the swarm does not have.
        if await replica.state.overlay.isEmpty { #expect(try await replica.values == swarm.values()) }
      }
    }
    for _ in 0..<2 {
      for replica in replicas { try await replica.exchange(with: swarm) }
    }
    let expected = try await swarm.values()
    for replica in replicas {
      #expect(await replica.values == expected)
      #expect(await replica.state.overlay.isEmpty)
      #expect(await replica.refused == [])
    }
    #expect(try await swarm.value("c") ?? 0 == .int(counted))
    let again = try await bench.swarmBench.open()
    #expect(await again.fingerprint == swarm.fingerprint)
  }
}
