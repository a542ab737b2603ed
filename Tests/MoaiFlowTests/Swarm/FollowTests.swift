import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite(.patience) struct FollowTests {
  private func attached(_ swarm: Swarm, _ count: Int = 1) async {
    while await swarm.subscribers.count < count { await Task.yield() }
  }

  @Test("§5.4 one batch per entry that changed something, with its author, time and place")
  func oneBatchPerEntry() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    let feed = FeedReader(swarm.state.follow(since: .head))
    async let first = feed.next()
    await attached(swarm)
    try await alice.state.perform([
      WriteRequest(try StateKey("a"), .operations([.increment(1)])),
      WriteRequest(try StateKey("b"), .operations([.add(1)])),
    ])
    try await alice.state.add(1, to: "b")
    try await alice.state.delete("a")
    let batch = try #require(try await first)
    #expect(batch.changes.map(\.key.name.string) == ["a", "b"])
    #expect(batch.agent == (try AgentID("alice")))
    #expect(batch.timestamp == Timestamp(milliseconds: bench.time.now))
    #expect(batch.cursor == Cursor(epoch: swarm.epoch, revision: 1))
    #expect(batch.after == 0)
    let second = try #require(try await feed.next())
    #expect(second.cursor?.revision == 3, "revision 2 changed nothing and is no batch")
    #expect(second.after == 1)
    #expect(second.changes.map(\.content) == [.deleted])
  }

  @Test("§5.4 what was missed comes first, each key once, then the entries")
  func catchUpFirst() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    for _ in 0..<10 { try await alice.state.increment("c") }
    let start = Cursor(epoch: swarm.epoch, revision: 4)
    let feed = FeedReader(swarm.state.follow(since: .after(.cursor(start))))
    let missed = try #require(try await feed.next())
    #expect(missed.after == 4)
    #expect(missed.cursor?.revision == 10)
    #expect(missed.agent == nil)
    #expect(missed.changes.map(\.content) == [.operations([.increment(6)])])
    async let next = feed.next()
    await attached(swarm)
    try await alice.state.increment("c")
    #expect(try await next?.after == 10)
  }

  @Test("§5.4 a follower that begins where nothing changed that it wants applies its first batch without a gap")
  func beginningsWithoutChanges() async throws {
    for start in [.beginning, .after(.revision(0)), .after(.revision(1)), .after(.revision(2))] as [ChangesStart] {
      let swarm = try await SwarmBench().open()
      let alice = try await swarm.join(as: "alice")
      try await alice.state.increment("other")
      try await alice.state.remove("nothing", from: "wanted")
      let feed = FeedReader(swarm.state.follow(since: start, prefix: "wanted"))
      async let next = feed.next()
      await attached(swarm)
      try await alice.state.increment("other")
      try await alice.state.increment("wanted")
      let batch = try #require(try await next)
      var mirror = StateMirror()
      if case .after(.revision(let revision)) = start {
        // What the follower has: nothing, at the place that it gave.
        let place = Cursor(epoch: swarm.epoch, revision: revision)
        try mirror.apply(
          ChangesPage(
            changes: [], head: revision, began: revision, next: nil, cursor: place, isSnapshot: false, isFirst: true))
      }
      try mirror.apply(batch)
      #expect(mirror.values == [try StateKey("wanted"): 1])
      #expect(mirror.revision == 4)
    }
  }

  @Test("§5.4 a filtered reader that overflows goes on from what it has")
  func filteredReaderOverflows() async throws {
    let swarm = try await SwarmBench().open { $0.feedCapacity = 2 }
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("other")
    let feed = FeedReader(swarm.state.follow(since: .beginning, prefix: "wanted"))
    async let first = feed.next()
    await attached(swarm)
    try await alice.state.perform(
      try (0..<5).map { WriteRequest(try StateKey("wanted/\($0)"), .operations([.increment(1)])) })
    try await alice.state.increment("wanted/0")
    var mirror = StateMirror()
    try mirror.apply(try #require(try await first))
    #expect(mirror.values.count == 5)
  }

  @Test("§5.4 a pass of several pages whose last page is empty still ends with its cursor")
  func emptyLastPage() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    for start in stride(from: 0, to: 2_000, by: 500) {
      try await alice.state.perform(
        try (start..<start + 500).map { WriteRequest(try StateKey("wanted/\($0)"), .operations([.increment(1)])) })
    }
    for _ in 0..<3 { try await alice.state.increment("other") }
    var mirror = StateMirror()
    let feed = FeedReader(swarm.state.follow(since: .beginning, prefix: "wanted"))
    while mirror.cursor == nil, let batch = try await feed.next() { try mirror.apply(batch) }
    #expect(mirror.values.count == 2_000)
    #expect(mirror.revision == 7)
  }

  @Test("§5.4 a slow reader overflows, catches up and misses nothing", arguments: 0..<6)
  func slowReader(seed: Int) async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open { $0.feedCapacity = 1 + seed * 3 }
    var random = SplitMix64(seed: UInt64(seed))
    let members = [try await swarm.join(as: "alice"), try await swarm.join(as: "bob")]
    var mirror = StateMirror()
    let feed = FeedReader(swarm.state.follow(since: .beginning))
    func write() async throws {
      let state = members[random.below(2)].state
      let key = "\(random.below(3))"
      switch random.below(6) {
      case 0: try await state.increment("c" + key)
      case 1: try await state.add(.int(Int64(random.below(5))), to: "s" + key)
      case 2: try await state.remove(.int(Int64(random.below(5))), from: "s" + key)
      case 3: try await state.put(.int(Int64(random.below(9))), field: "\(random.below(4))", in: "m" + key)
      case 4: try await state.set("r" + key, to: .int(Int64(random.below(9))))
      default: try await state.delete(["c", "s", "m", "r"][random.below(4)] + key)
      }
    }
    for _ in 0..<30 {
      for _ in 0..<(1 + random.below(12)) { try await write() }
      // One mark that is surely a change, so that there is something to read up to.
      try await members[0].state.increment("mark")
      let goal = try await swarm.status().revision
      while mirror.revision < goal, let batch = try await feed.next() { try mirror.apply(batch) }
      for key in try await swarm.state.keys(limit: 1_000, includingValues: true).keys {
        try #require(mirror.values[key.key] == key.value, "seed \(seed), \(key.key)")
      }
      #expect(try await swarm.state.keys(limit: 1_000).keys.count == mirror.values.count)
    }
  }

  @Test("§5.4 only the keys that begin with the prefix")
  func prefix() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    try await alice.state.increment("a/1")
    try await alice.state.increment("b/1")
    let feed = FeedReader(swarm.state.follow(since: .beginning, prefix: "a/"))
    #expect(try await feed.next()?.changes.map(\.key.name.string) == ["a/1"])
    async let next = feed.next()
    await attached(swarm)
    try await alice.state.increment("b/2")
    try await alice.state.perform([
      WriteRequest(try StateKey("b/2"), .operations([.increment(1)])),
      WriteRequest(try StateKey("a/2"), .operations([.increment(1)])),
    ])
    #expect(try await next?.changes.map(\.key.name.string) == ["a/2"])
  }

  @Test("§5.4 a reader whose task is cancelled ends, and is forgotten with the next change")
  func cancelled() async throws {
    let swarm = try await SwarmBench().open()
    let reader = Task {
      var count = 0
      for try await _ in swarm.state.follow(since: .head) { count += 1 }
      return count
    }
    await attached(swarm)
    reader.cancel()
    #expect(try await reader.value == 0)
    try await swarm.join(as: "alice").state.increment("c")
    #expect(await swarm.subscribers.isEmpty)
    #expect(try await swarm.value("c") == 1)
  }

  @Test("§5.4 closing the swarm hands out what waits and ends every feed; a feed begun later ends at once")
  func closing() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    let feed = FeedReader(swarm.state.follow(since: .head))
    async let first = feed.next()
    await attached(swarm)
    try await alice.state.increment("c")
    _ = try await first
    try await alice.state.increment("c")
    try await swarm.close()
    #expect(try await feed.next()?.cursor?.revision == 2)
    #expect(try await feed.next() == nil)
    let late = FeedReader(swarm.state.follow(since: .beginning))
    #expect(try await late.next() == nil)
  }

  @Test("§5.3 a cursor of another epoch gets a snapshot that replaces; one of the future an error")
  func otherEpochAndFuture() async throws {
    let swarm = try await SwarmBench().open()
    let alice = try await swarm.join(as: "alice")
    for name in ["a", "b", "c"] { try await alice.state.increment(name) }
    try await alice.state.delete("b")
    let other = Cursor(epoch: Epoch(99), revision: 2)
    var mirror = StateMirror()
    try mirror.apply(
      ChangesPage(
        changes: [], head: 2, began: 2, next: nil, cursor: other, isSnapshot: true, isFirst: true))
    var start = ChangesStart.after(.cursor(other))
    var pages = 0
    while true {
      let page = try await swarm.state.changes(ChangesQuery(since: start, limit: 1))
      #expect(page.isSnapshot)
      pages += 1
      try mirror.apply(page)
      guard let next = page.next else { break }
      start = .page(next)
    }
    #expect(pages > 1)
    #expect(mirror.values == [try StateKey("a"): 1, try StateKey("c"): 1])
    #expect(mirror.cursor == Cursor(epoch: swarm.epoch, revision: 4))

    let feed = FeedReader(swarm.state.follow(since: .after(.cursor(other))))
    #expect(try await feed.next()?.isSnapshot == true)
    await #expect(throws: SwarmError.futureRevision(5, head: 4)) {
      try await swarm.state.changes(ChangesQuery(since: .after(.revision(5))))
    }
    let token = PageToken(epoch: swarm.epoch, since: 0, position: 5, began: 5, isSnapshot: false)
    await #expect(throws: SwarmError.futureRevision(5, head: 4)) {
      try await swarm.state.changes(ChangesQuery(since: .page(token)))
    }
    let crooked = PageToken(epoch: swarm.epoch, since: 3, position: 2, began: 5, isSnapshot: false)
    await #expect(throws: SwarmError.self) { try await swarm.state.changes(ChangesQuery(since: .page(crooked))) }
    let foreign = PageToken(epoch: Epoch(98), since: 900, position: 901, began: 901, isSnapshot: false)
    #expect(try await swarm.state.changes(ChangesQuery(since: .page(foreign))).isSnapshot)
    let late = FeedReader(swarm.state.follow(since: .after(.revision(9))))
    await #expect(throws: SwarmError.futureRevision(9, head: 4)) { try await late.next() }
  }
}
