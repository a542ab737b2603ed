import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Rewinds through a swarm, one example a rule.
@Suite(.patience) struct RewindTests {
  let bench: SwarmBench
  let swarm: Swarm
  let alice: SwarmMember
  let bob: SwarmMember
  let carol: SwarmMember

  init() async throws {
    bench = try await SwarmBench()
    swarm = try await bench.open()
    alice = try await swarm.join(as: "alice")
    bob = try await swarm.join(as: "bob")
    carol = try await swarm.join(as: "carol")
  }

  private func request(_ agent: String, since: Revision = 0, keys: [String] = [], isPartial: Bool = false) throws
    -> RewindRequest
  {
    RewindRequest(
      .agent(try AgentID(agent), since: .revision(since)), keys: keys.map { GlobPattern($0) }, isPartial: isPartial)
  }

  @Test("§6.2 what an agent hid comes back with its author and time, under a new dot")
  func hiddenValuesComeBack() async throws {
    let first = try await bob.state.set("leader", to: "bob")
    let before = try #require(try await swarm.state.read("leader"))
    try await alice.state.set("leader", to: "alice")
    let report = try await carol.state.rewind(try request("alice"))
    #expect(report.revision == 3)
    #expect(report.changes.map(\.before) == ["alice"])
    #expect(report.changes.map(\.after) == ["bob"])
    let reading = try #require(try await swarm.state.read("leader"))
    #expect(reading.value == "bob")
    #expect(reading.agent.name == "carol", "the rewind is the key's last change")
    let part = try #require(try await swarm.state.explain("leader")?.parts.first)
    let shown = try #require(part.shown)
    #expect(shown.author.agent.name == "bob")
    #expect(shown.author.revision == first.revision)
    #expect(shown.author.timestamp == before.timestamp)
    #expect(shown.restoredBy == 3)
  }

  @Test("§4.5 §6.2 a delete on condition that the key is absent hides nothing that a rewind brings back (seed 27307)")
  func deleteOfWhatIsAbsent() async throws {
    try await bob.state.add(true, to: "flags")
    try await alice.state.delete("flags")
    try await carol.state.delete("flags", ifRevision: 0)
    try await carol.state.rewind(try request("alice"))
    #expect(try await swarm.state.read("flags")?.value == [true])
  }

  @Test("§4.6 §6.3 a deleted counter that would come back beyond a bound is blocked by it (simulated seed 1648)")
  func boundOfADeletedCounter() async throws {
    try await bob.state.increment("budget", by: -22)
    try await alice.state.delete("budget")
    try await alice.state.set("r", to: 1)
    var settings = SwarmSettings()
    settings.policies = [KeyPolicy(pattern: GlobPattern("budget"), bounds: CounterBounds(minimum: -20))]
    try await swarm.replaceSettings(settings)
    let report = try await carol.state.rewind(try request("alice", isPartial: true))
    #expect(report.blocked.map(\.key.name.string) == ["budget"])
    #expect(report.blocked.map(\.obstacle) == [.bound])
    #expect(report.changes.map(\.key.name.string) == ["r"])
  }

  @Test("§4.1 §6.3 a key that the next entry lets go disturbs no dry run (simulated seed 14)")
  func expiringKeys() async throws {
    try await alice.state.set("s/1", to: 1)
    try await alice.state.set("m", to: 2)
    bench.time.now += 100
    var settings = SwarmSettings()
    settings.policies = [KeyPolicy(pattern: GlobPattern("s/*"), idleMilliseconds: 50)]
    try await swarm.replaceSettings(settings)
    let report = try await swarm.state.rehearse(try request("alice"))
    #expect(report.changes.map(\.key.name.string) == ["m"])
    #expect(report.changes.map(\.after) == [nil])
    #expect(report.unchanged.map(\.name.string) == ["s/1"])
    #expect(try await carol.state.rewind(try request("alice")).changes.map(\.key.name.string) == ["m"])
    #expect(try await swarm.values() == [:])
  }

  @Test("§6.2 what others removed includes what the agent had hidden from them")
  func removalsOfOthersHold() async throws {
    try await bob.state.put("old", field: "f", in: "m")
    try await alice.state.put("bad", field: "f", in: "m")
    try await carol.state.removeField("f", from: "m")
    try await bob.state.put(1, field: "g", in: "m")
    let report = try await carol.state.rewind(try request("alice"))
    #expect(report.changes.isEmpty)
    #expect(report.unchanged.map(\.name.string) == ["m"])
    #expect(try await swarm.value("m") == ["g": 1])
  }

  @Test("§6.2 two rewinds in either order end the same: neither brings back what the other took")
  func rewindsOfTwoAgentsCommute() async throws {
    for order in [["alice", "carol"], ["carol", "alice"]] {
      let key = "leader/\(order[0])"
      try await bob.state.set(key, to: "bob")
      try await alice.state.set(key, to: "alice")
      try await carol.state.set(key, to: "carol")
      for agent in order { try await bob.state.rewind(try request(agent, keys: [key])) }
      #expect(try await swarm.value(key) == "bob")
    }
  }

  @Test("§6.2 counters get the opposite sum; other agents' increments stay")
  func countersGetTheOppositeSum() async throws {
    try await bob.state.increment("c", by: 5)
    try await alice.state.increment("c", by: 100)
    let since = try #require(try await swarm.state.read("c")).revision
    try await alice.state.increment("c", by: -3)
    try await bob.state.increment("c", by: 1)
    #expect(try await carol.state.rewind(try request("alice", since: since)).revision != nil)
    #expect(try await swarm.value("c") == 106)
    try await carol.state.rewind(try request("alice"))
    #expect(try await swarm.value("c") == 6)
    let nothing = try await carol.state.rewind(try request("alice"))
    #expect(nothing.isEmpty)
    #expect(nothing.revision == nil)
    #expect(try await swarm.status().revision == 6)
  }

  @Test("§6.2 keys that only the agent made go; keys that it deleted come back, as a new incarnation")
  func keysGoAndComeBack() async throws {
    try await bob.state.set("kept", to: ["a": 1], type: .map)
    try await alice.state.delete("kept")
    try await alice.state.add(1, to: "made")
    let report = try await carol.state.rewind(try request("alice"))
    #expect(report.changes.map(\.key.name.string) == ["kept", "made"])
    #expect(try await swarm.value("kept") == ["a": 1])
    #expect(try await swarm.state.read("kept")?.version == 1)
    #expect(try await swarm.value("made") == nil)
  }

  @Test("§6.3 a key created anew blocks the whole rewind; with partial only itself")
  func recreatedKeysBlock() async throws {
    try await bob.state.set("k", to: [1], type: .set)
    try await bob.state.increment("c")
    try await alice.state.delete("k")
    try await alice.state.increment("c")
    try await bob.state.set("k", to: ["f": 1], type: .map)
    let stopped = try await carol.state.rewind(try request("alice"))
    #expect(stopped.revision == nil)
    #expect(stopped.blocked == [.init(key: try StateKey("k"), obstacle: .recreated)])
    #expect(try await swarm.value("c") == 2)
    let partial = try await carol.state.rewind(try request("alice", isPartial: true))
    #expect(partial.blocked == stopped.blocked)
    #expect(partial.revision == 6)
    #expect(try await swarm.value("c") == 1)
    #expect(try await swarm.value("k") == ["f": 1])
  }

  @Test("§6.3 a counter that would leave 64 bits blocks")
  func overflowBlocks() async throws {
    try await alice.state.increment("c", by: -10)
    try await bob.state.increment("c", by: .max)
    let report = try await carol.state.rewind(try request("alice"))
    #expect(report.blocked == [])
    #expect(try await swarm.value("c") == .int(.max))
    try await carol.state.rewind(RewindRequest(.revision(.revision(3))))
    try await carol.state.increment("c", by: 5)
    let blocked = try await carol.state.rewind(try request("alice"))
    #expect(blocked.blocked.map(\.obstacle) == [.bound])
    #expect(try await swarm.value("c") == .int(.max - 5))
  }

  @Test("§6.3 who wrote after reading is listed: with a base, or by replacing; who only added is not")
  func dependentsAreListed() async throws {
    try await alice.state.set("m", to: ["f": 1], type: .map)
    try await alice.state.increment("c")
    let seen = try #require(try await swarm.state.read("m")).cursor
    let before = Cursor(epoch: seen.epoch, revision: 0)
    try await bob.state.put(2, field: "g", in: "m", base: seen)
    try await bob.state.put(3, field: "h", in: "m", base: before)
    try await bob.state.increment("c")
    try await carol.state.put(4, field: "f", in: "m")
    let report = try await swarm.state.rehearse(try request("alice"))
    #expect(report.dependents.map(\.revision) == [3, 6])
    #expect(report.dependentCount == 2)
  }

  @Test("§6.3 dependents are counted beyond those that are named")
  func dependentsAreBounded() async throws {
    try await alice.state.set("r", to: 0)
    for value in 1...150 { try await bob.state.set("r", to: .int(Int64(value))) }
    let report = try await swarm.state.rehearse(try request("alice"))
    #expect(report.dependents.count == RewindReport.dependentLimit)
    #expect(report.dependentCount == 150)
  }

  @Test("§6.3 a dry run says the same and appends nothing")
  func dryRunWritesNothing() async throws {
    try await bob.state.set("leader", to: "bob")
    try await alice.state.set("leader", to: "alice")
    let rehearsed = try await swarm.state.rehearse(try request("alice"))
    #expect(try await bench.entries().count == 2)
    #expect(try await swarm.value("leader") == "alice")
    var done = try await carol.state.rewind(try request("alice"))
    #expect(done.revision == 3)
    done.revision = nil
    #expect(done == rehearsed)
  }

  @Test("§6.3 a pattern limits the rewind to keys; the rest can be rewound later")
  func keyFilter() async throws {
    for key in ["a/1", "a/2", "b/1"] { try await alice.state.set(key, to: 1) }
    try await carol.state.rewind(try request("alice", keys: ["a/*"]))
    #expect(try await swarm.state.keys().keys.map(\.key.name.string) == ["b/1"])
    try await carol.state.rewind(try request("alice"))
    #expect(try await swarm.state.keys().keys.isEmpty)
  }

  @Test("§6.2 one entry can be taken back, whoever wrote it; twice is once")
  func oneEntry() async throws {
    try await bob.state.put(1, field: "f", in: "m")
    let bad = try await bob.state.put(2, field: "f", in: "m")
    try await bob.state.put(3, field: "g", in: "m")
    let request = RewindRequest(.revision(.revision(bad.revision)))
    #expect(try await carol.state.rewind(request).revision == 4)
    #expect(try await swarm.value("m") == ["f": 1, "g": 3])
    #expect(try await carol.state.rewind(request).isEmpty)
  }

  @Test("§6.2 what a later rewind covers is not what an earlier one took back and nobody returned")
  func compensatedWritesAreNotCoveredAgain() async throws {
    try await alice.state.increment("c", by: 10)
    let first = try await carol.state.rewind(try request("alice"))
    try await alice.state.increment("c", by: 1)
    #expect(try await carol.state.rewind(try request("alice")).entries == 1)
    #expect(try await swarm.value("c") == nil)
    // Undoing the first brings back the 10 only.
    try await carol.state.rewind(RewindRequest(.revision(.revision(try #require(first.revision)))))
    #expect(try await swarm.value("c") == 10)
  }

  @Test("§6.2 delta sync, followers and readers of the past see a rewind as a change like any other")
  func rewindsAreChanges() async throws {
    try await bob.state.set("s", to: [1], type: .set)
    try await alice.state.add(2, to: "s")
    var mirror = StateMirror()
    try mirror.apply(try await swarm.state.changes(ChangesQuery(since: .beginning)))
    let feed = FeedReader(swarm.state.follow(since: .head))
    async let next = feed.next()
    while await swarm.subscribers.isEmpty { await Task.yield() }
    try await carol.state.rewind(try request("alice"))
    let batch = try #require(try await next)
    #expect(batch.agent?.name == "carol")
    #expect(batch.changes.map(\.content) == [.operations([.remove(2)])])
    let page = try await swarm.state.changes(since: try #require(mirror.cursor))
    #expect(page.changes.map(\.content) == [.operations([.remove(2)])])
    try mirror.apply(page)
    #expect(mirror.values[try StateKey("s")] == [1])
    #expect(try await swarm.state.read("s", at: .revision(2))?.value == [1, 2])
    #expect(try await swarm.state.read("s", at: .revision(3))?.value == [1])
    let reopened = try await bench.open()
    #expect(try await reopened.fingerprint == swarm.fingerprint)
  }

  @Test("§6.2 a rewind that another write overtakes is planned anew, and given up after five times")
  func overtakenRewindsArePlannedAnew() async throws {
    try await alice.state.increment("c", by: 10)
    bench.journal.appendGate.close()
    let request = try request("alice")
    async let report = carol.state.rewind(request)
    await bench.journal.appendGate.untilHeld()
    // Comes into the journal behind the rewind, so the rewind holds.
    async let increment = bob.state.increment("c")
    await swarm.untilPending(1)
    bench.journal.appendGate.open()
    #expect(try await report.revision == 2)
    #expect(try await increment.revision == 3)
    #expect(try await swarm.value("c") == 1)
  }

  @Test("§6.2 a rewind that finds its key changed at apply takes a new plan under a new id")
  func refusedRewindsTakeANewPlan() async throws {
    try await alice.state.increment("c", by: 10)
    bench.journal.appendGate.close()
    async let increment = bob.state.increment("c")
    await bench.journal.appendGate.untilHeld()
    let request = try request("alice")
    async let report = carol.state.rewind(request)
    // Planned before the increment is applied, and appended behind it.
    await swarm.untilPending(1)
    bench.journal.appendGate.open()
    _ = try await increment
    #expect(try await report.revision == 4)
    #expect(try await swarm.value("c") == 1)
    let reopened = try await bench.open()
    #expect(try await reopened.fingerprint == swarm.fingerprint)
  }

  @Test("a rewind repeated under its id does nothing again, and is answered as the first was")
  func repeatedRewinds() async throws {
    try await alice.state.increment("c", by: 10)
    try await bob.state.increment("c", by: 1)
    let id = CommandID(high: 7, low: 7)
    let request = try request("alice")
    let report = try await carol.state.rewind(request, id: id)
    #expect(report.revision == 3 && report.changes.count == 1)
    try await alice.state.increment("c", by: 100)
    #expect(try await carol.state.rewind(request, id: id) == report)
    #expect(try await bench.entries().count == 4)
    let other = try self.request("bob")
    let error = await swarmError { try await carol.state.rewind(other, id: id) }
    #expect(error == .refused(.idempotencyMismatch))
  }

  @Test("§6.2 what cannot be asked is refused with its field")
  func invalidRequests() async throws {
    try await alice.state.increment("c")
    let agent = try AgentID("alice")
    for (target, expected) in [
      (.agent(agent, since: .revision(2)), SwarmError.futureRevision(2, head: 1)),
      (.revision(.revision(0)), .invalid(field: "/revision", "the first entry has revision 1")),
      (.revision(.revision(-1)), .invalid(field: "/revision", "-1 is no revision")),
    ] as [(RewindRequest.Target, SwarmError)] {
      let error = await swarmError { try await carol.state.rewind(RewindRequest(target)) }
      #expect(error == expected)
    }
    let foreign = Cursor(epoch: Epoch(1), revision: 0)
    let error = await swarmError { try await carol.state.rewind(RewindRequest(.agent(agent, since: .cursor(foreign)))) }
    guard case .trimmed = error else { return #expect(Bool(false), "\(String(describing: error))") }
  }

  @Test("§6.2 a rewind since before the horizon is refused as trimmed; from there on it works")
  func horizon() async throws {
    try await bob.state.set("r", to: 1)
    try await alice.state.set("r", to: 2)
    try await swarm.saveCheckpoint()
    let trim = Entry(
      author: .journal, id: CommandID(high: 7, low: 7), requestHash: 0, command: .journal(.trim(to: 2)))
    _ = try await bench.journal.append([trim.encoded()])
    try await swarm.refresh()
    try await bench.journal.trim(to: 2)
    try await alice.state.set("r", to: 3)
    for target in [.agent(try AgentID("alice"), since: .revision(1)), .revision(.revision(2))]
      as [RewindRequest.Target]
    {
      let error = await swarmError { try await carol.state.rewind(RewindRequest(target)) }
      guard case .trimmed = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(try await carol.state.rewind(try request("alice", since: 2)).revision == 5)
    #expect(try await swarm.value("r") == 2)
    #expect(try await swarm.state.history(of: "r").changes.map(\.revision) == [5, 4])
    #expect(try await swarm.state.history(of: "r").horizon == 2)
    let part = try #require(try await swarm.state.explain("r")?.parts.first)
    #expect(part.shown?.author.revision == 2)
  }

  @Test("§6.3 a value that has grown too large for its limit blocks")
  func largeValuesBlock() async throws {
    let big = StateValue(String(repeating: "x", count: 90))
    try await bob.state.set("m", to: ["a": big], type: .map)
    try await alice.state.removeField("a", from: "m")
    try await bob.state.put(big, field: "b", in: "m")
    try await swarm.replaceSettings(SwarmSettings(limits: SwarmLimits(valueBytes: 150)))
    let report = try await carol.state.rewind(try request("alice"))
    #expect(report.blocked.map(\.obstacle) == [.tooLarge])
  }
}
