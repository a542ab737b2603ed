import MoaiCRDT
import Testing

@testable import MoaiFlow

/// What the journal does with the deltas of offline replicas (rules §1.6, §4.3, §5.6).
@Suite struct ReplicaCommandTests {
  private let replica = ReplicaID(0xA)

  /// A replica as its deltas come: in order, each with the hash of the one before.
  private struct Sender {
    let replica: ReplicaID
    var next: UInt64 = 1
    var hash: UInt64 = 0

    mutating func delta(
      _ writes: [KeyWrite], base: Cursor?, at milliseconds: Int64, seen: [(ReplicaID, UInt64)] = []
    ) -> ReplicaDelta {
      let delta = ReplicaDelta(
        replica: replica, first: next, base: base, seen: VectorClock(seen), previousHash: hash,
        timestamp: Timestamp(milliseconds: milliseconds), writes: writes)
      next = delta.last + 1
      hash = delta.hash
      return delta
    }
  }

  private func write(_ key: String, _ operations: StateOperation...) -> KeyWrite {
    KeyWrite(key: try! StateKey(key), content: .operations(operations))
  }

  private func merged(_ outcome: Outcome) -> Bool {
    if case .replica(.merged) = outcome.result { true } else { false }
  }

  @Test("§5.6 deltas enter in their order, under the replica's dots, and survive replay and checkpoint")
  func inOrder() throws {
    var harness = CoreHarness()
    var sender = Sender(replica: replica)
    let base = harness.cursor
    let first = sender.delta([write("s", .add("x"), .add("y"))], base: base, at: harness.now - 5_000)
    let second = sender.delta([write("s", .remove("x")), write("c", .increment(3))], base: base, at: harness.now)
    #expect(first.last == 3 && second.first == 4 && second.last == 7)
    #expect(merged(harness.apply(.replica(.delta(first)), by: "alice")))
    try harness.write("s", .add("z"), by: "bob")
    #expect(merged(harness.apply(.replica(.delta(second)), by: "alice")))
    #expect(harness.value("s") == ["y", "z"], "it had seen its own x, though its base had not")
    #expect(harness.value("c") == 3)
    let record = harness.core.replicas.replicas[0].record
    #expect(record.accepted == 7 && record.hash == second.hash)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
    var loader = CheckpointLoader(epoch: harness.core.epoch)
    let checkpoint = harness.core.wholeCheckpoint()
    for one in checkpoint.upserted.sorted(by: { $0.position < $1.position }) { try loader.take(one) }
    let loaded = try loader.finish(CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header))
    #expect(loaded.fingerprint == harness.core.fingerprint)
  }

  @Test("§5.6 a gap, a foreign owner, another start, a fork and a closed replica use up nothing")
  func refusals() throws {
    var harness = CoreHarness()
    var sender = Sender(replica: replica)
    let one = sender.delta([write("c", .increment(1))], base: nil, at: harness.now)
    var fork = sender
    let two = sender.delta([write("c", .increment(2))], base: nil, at: harness.now)
    let three = sender.delta([write("c", .increment(4))], base: nil, at: harness.now)
    func apply(_ delta: ReplicaDelta, by agent: String = "alice") -> Outcome.Result {
      harness.apply(.replica(.delta(delta)), by: agent).result
    }
    #expect(apply(two) == .refused(.replica(.unknown(replica))))
    _ = apply(one)
    #expect(apply(three) == .refused(.replica(.outOfOrder(replica, first: 5, accepted: 2))))
    #expect(apply(two, by: "mallory") == .refused(.replica(.notYours(replica, owner: try AgentID("alice")))))
    let other = fork.delta([write("c", .increment(100))], base: nil, at: harness.now)
    _ = apply(other)
    #expect(apply(two) == .refused(.replica(.forked(replica, first: 3))))
    #expect(apply(three) == .refused(.replica(.forked(replica, first: 5))), "its chain has another hash")
    #expect(apply(one) == .refused(.replica(.outOfOrder(replica, first: 1, accepted: 4))), "known, not forked")
    #expect(harness.value("c") == 101)
    _ = harness.apply(.replica(.close(replica)), by: "alice")
    let late = fork.delta([write("c", .increment(1))], base: nil, at: harness.now)
    #expect(apply(late) == .refused(.replica(.closed(replica, accepted: 4))))
    #expect(harness.value("c") == 101)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test(
    "§5.6 a replica that others have met is listed, belongs to who sends first under it, and ends when it stays away")
  func announced() throws {
    var harness = CoreHarness()
    func announce(_ replica: ReplicaID, upTo last: UInt64, by agent: String) {
      let outcome = harness.apply(.replica(.announce(replica, upTo: last)), by: agent)
      #expect(outcome.result == .replica(.announced))
    }
    func record(_ slot: Int) -> ReplicaRecord { harness.core.replicas.replicas[slot].record }
    announce(replica, upTo: 4, by: "bob")
    announce(replica, upTo: 3, by: "carol")
    #expect(record(0).isOnlyAnnounced && record(0).announced == 4 && record(0).accepted == 0)
    #expect(harness.core.agents[record(0).owner].name.string == "bob")
    var sender = Sender(replica: replica)
    let delta = sender.delta([write("c", .increment(1))], base: nil, at: harness.now)
    #expect(merged(harness.apply(.replica(.delta(delta)), by: "alice")))
    #expect(!record(0).isOnlyAnnounced && harness.core.agents[record(0).owner].name.string == "alice")
    let before = harness.core.revision
    announce(replica, upTo: 2, by: "bob")
    #expect(harness.core.replicas.progress(since: before) == [], "what the journal has nobody needs to name")
    #expect(harness.core.agents[record(0).owner].name.string == "alice")
    let lost = ReplicaID(0xBEEF)
    announce(lost, upTo: 1, by: "bob")
    harness.now += SwarmLimits().replicaIdleMilliseconds + 1
    announce(lost, upTo: 9, by: "bob")
    #expect(record(1).isClosed && record(1).announced == 1)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§5.6 a delta that came before its time was not taken, and is taken when it is sent again")
  func tooEarly() throws {
    var harness = CoreHarness()
    var sender = Sender(replica: replica)
    let one = sender.delta([write("c", .increment(1))], base: nil, at: harness.now)
    let two = sender.delta([write("c", .increment(2))], base: nil, at: harness.now)
    let id = CommandID(high: 7, low: 7)
    #expect(harness.apply(.replica(.delta(two)), by: "alice", id: id).result.isReplicaRefusal)
    #expect(merged(harness.apply(.replica(.delta(one)), by: "alice")))
    #expect(merged(harness.apply(.replica(.delta(two)), by: "alice", id: id)))
    #expect(harness.value("c") == 3)
  }

  @Test(
    "§5.6 a delta that a rule refuses uses its numbers, changes nothing, is kept whole, and is listed until resolved")
  func keptDelta() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "bob")
    var sender = Sender(replica: replica)
    let bad = sender.delta(
      [write("fresh", .increment(1)), write("s", .increment(1))], base: harness.cursor, at: harness.now)
    let good = sender.delta([write("s", .add("y"))], base: harness.cursor, at: harness.now)
    let refusal = DeltaRefusal.state(.typeMismatch(try StateKey("s"), holds: .set, asked: .counter))
    #expect(harness.apply(.replica(.delta(bad)), by: "alice").result == .replica(.kept(refusal)))
    #expect(harness.changes.last == [])
    #expect(harness.value("fresh") == nil)
    #expect(merged(harness.apply(.replica(.delta(good)), by: "alice")))
    let kept = harness.core.replicas.replicas[0].record.kept
    #expect(kept == [KeptDelta(delta: bad, revision: 2, refusal: refusal)])
    #expect(
      harness.apply(.replica(.resolve(replica, first: 9)), by: "alice").result
        == .refused(.replica(.notKept(replica, first: 9))))
    #expect(harness.apply(.replica(.resolve(replica, first: 1)), by: "alice").result == .replica(.resolved))
    #expect(harness.core.replicas.replicas[0].record.kept == [])
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§1.6 offline writes compete by their own clock; one too far ahead of the journal is kept as clock_ahead")
  func clocks() throws {
    var harness = CoreHarness()
    var sender = Sender(replica: replica)
    let base = harness.cursor
    let past = sender.delta([write("r", .assign("old"))], base: base, at: harness.now - 60_000)
    let ahead = sender.delta([write("r", .assign("ahead"))], base: base, at: harness.now + 60_001)
    let bound = sender.delta([write("r", .assign("bound"))], base: base, at: harness.now + 60_000)
    try harness.write("r", .assign("online"), by: "bob")
    #expect(merged(harness.apply(.replica(.delta(past)), by: "alice")))
    #expect(harness.value("r") == "online", "it was written before")
    guard case .replica(.kept(.clockAhead)) = harness.apply(.replica(.delta(ahead)), by: "alice").result else {
      Issue.record("a clock far ahead was accepted")
      return
    }
    #expect(merged(harness.apply(.replica(.delta(bound)), by: "alice")))
    #expect(harness.value("r") == "bound")
    try harness.write("r", .assign("after"), by: "bob")
    #expect(harness.value("r") == "after", "an online write is later than all that the journal has")
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.3 what another replica wrote is visible if the writer had met it, else it stays")
  func seenPeers() throws {
    var harness = CoreHarness()
    let peer = ReplicaID(0xB)
    var alice = Sender(replica: replica)
    var bob = Sender(replica: peer)
    let theirs = bob.delta([write("s", .add("x"), .add("y"))], base: nil, at: harness.now)
    _ = harness.apply(.replica(.delta(theirs)), by: "bob")
    let blind = alice.delta([write("s", .remove("x"))], base: nil, at: harness.now)
    _ = harness.apply(.replica(.delta(blind)), by: "alice")
    #expect(harness.value("s") == ["x", "y"])
    let seeing = alice.delta([write("s", .remove("x"), .remove("y"))], base: nil, at: harness.now, seen: [(peer, 2)])
    _ = harness.apply(.replica(.delta(seeing)), by: "alice")
    #expect(harness.value("s") == ["y"], "number 2 was x, number 3 was y")
  }

  @Test(
    "§5.6 a replica that sent nothing for long is closed by journal time, also after a restart; traffic puts it off")
  func idleReplicas() throws {
    var harness = CoreHarness()
    harness.apply(
      .settings(.replace(SwarmSettings(limits: SwarmLimits(replicaIdleMilliseconds: 1_000)))), by: "operator")
    var sender = Sender(replica: replica)
    for _ in 0..<2 {
      let delta = sender.delta([write("c", .increment(1))], base: nil, at: harness.now)
      #expect(merged(harness.apply(.replica(.delta(delta)), by: "alice")))
      harness.now += 900
    }
    harness.apply(.journal(.tick), by: "journal")
    #expect(!harness.core.replicas.replicas[0].record.isClosed)
    harness.now += 100
    harness.apply(.journal(.tick), by: "journal")
    #expect(harness.core.replicas.replicas[0].record.isClosed)
    #expect(harness.core.replicas.progress(since: 3).map(\.isClosed) == [true])
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§6.2 a rewind takes back what was written offline, and history and explanations know it")
  func rewinding() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let bob = try await swarm.join(as: "bob")
    try await bob.state.add("b", to: "s")
    var sender = Sender(replica: replica)
    let delta = sender.delta(
      [write("s", .add("a"), .remove("b"))], base: swarm.state.cursorForTests(1), at: bench.time.now)
    let outcomes = try await swarm.send([delta], as: try AgentID("alice"))
    #expect(merged(outcomes[0]))
    #expect(try await swarm.value("s") == ["a"])
    #expect(try await swarm.state.history(of: "s").changes.map(\.agent.name.string) == ["alice", "bob"])
    let explanation = try #require(try await swarm.state.explain("s"))
    #expect(explanation.parts.first?.shown?.author.agent == (try AgentID("alice")))
    let alice = try await swarm.join(as: "alice")
    let report = try await alice.state.rewind(RewindRequest(.agent(try AgentID("alice"), since: .revision(1))))
    #expect(report.blocked == [])
    #expect(try await swarm.value("s") == ["b"])
    let undone = try await alice.state.rewind(RewindRequest(.revision(.revision(try #require(report.revision)))))
    #expect(undone.blocked == [])
    #expect(try await swarm.value("s") == ["a"])
  }

  @Test("§5.6 every delta and every other command of replicas survives its bytes; others are refused, not trapped on")
  func encoding() throws {
    var sender = Sender(replica: replica)
    let cursor = Cursor(epoch: Epoch(3), revision: 9)
    let delta = sender.delta(
      [
        write("k", .put(field: "f", [1, .null]), .removeField("g")), KeyWrite(key: try StateKey("d"), content: .delete),
      ],
      base: cursor, at: 5, seen: [(ReplicaID(1), 2)])
    let commands: [ReplicaCommand] = [
      .delta(delta), .reserve(replica, try StateKey("b"), CounterRight(down: 1, up: 2)), .close(replica),
      .resolve(replica, first: 3), .announce(replica, upTo: 7),
    ]
    for command in commands {
      let entry = Entry(
        author: try AgentID("alice"), id: CommandID(high: 1, low: 2), requestHash: 3, command: .replica(command))
      let bytes = entry.encoded()
      #expect(try Entry(decoding: bytes) == entry)
      for cut in bytes.indices { #expect(throws: DecodingFailure.self) { try Entry(decoding: Array(bytes[..<cut])) } }
    }
  }
}

extension StateReader {
  /// A cursor of the swarm at a revision.
  fileprivate func cursorForTests(_ revision: Revision) -> Cursor? {
    (connection as? Swarm).map { Cursor(epoch: $0.epoch, revision: revision) }
  }
}
