import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// A swarm whose horizon moves while others read and write.
@Suite(.patience) struct HorizonSwarmTests {
  private func trim(_ swarm: Swarm, _ bench: SwarmBench, to revision: Revision) async throws {
    let entry = Entry(
      author: .journal, id: CommandID(high: 0x7, low: UInt64(revision)), requestHash: 0,
      command: .journal(.trim(to: revision)))
    _ = try await bench.journal.append([entry.encoded()])
    try await swarm.refresh()
  }

  @Test("§6.1 what was before the horizon is trimmed; at the horizon it can be asked for")
  func readingThePast() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    for _ in 0..<5 { try await alice.state.increment("c") }
    try await swarm.saveCheckpoint()
    for _ in 0..<5 { try await alice.state.increment("c") }
    try await trim(swarm, bench, to: 5)
    for _ in 0..<2 {
      let error = await swarmError { _ = try await swarm.state.read("c", at: .revision(4)) }
      #expect(error == .trimmed("revision 4 lies before the horizon 5; what was then is no longer kept"))
      #expect(try await swarm.state.read("c", at: .revision(5))?.value == 5)
      #expect(try await swarm.state.read("c", at: .revision(7))?.value == 7)
      #expect(try await swarm.status().horizon == 5)
      // The second time the entries are gone too.
      try await bench.journal.trim(to: 5)
    }
    let reopened = try await bench.open()
    #expect(await reopened.fingerprint == swarm.fingerprint)
    #expect(try await reopened.state.read("c", at: .revision(6))?.value == 6)
    let base = await swarmError {
      _ = try await alice.state.perform([
        WriteRequest(try StateKey("c"), .value(3), base: .revision(4))
      ])
    }
    #expect(base == .trimmed("the base 4 lies before the horizon 5; read again"))
  }

  @Test("§5.3 changes and followers from before the horizon get a snapshot that replaces")
  func snapshots() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    for name in ["a", "b", "c"] { try await alice.state.increment(name) }
    try await alice.state.delete("b")
    try await trim(swarm, bench, to: 3)
    for start in [ChangesStart.after(.revision(2)), .after(.cursor(Cursor(epoch: swarm.epoch, revision: 0)))] {
      let page = try await swarm.state.changes(ChangesQuery(since: start))
      #expect(page.isSnapshot)
      #expect(page.began == 5)
      #expect(page.changes.map(\.key.name.string) == ["a", "c"])
      #expect(page.cursor?.revision == 5)
      let feed = FeedReader(swarm.state.follow(since: start))
      let batch = try await feed.next()
      #expect(batch?.isSnapshot == true)
      #expect(batch?.changes.map(\.key.name.string) == ["a", "c"])
    }
    let delta = try await swarm.state.changes(ChangesQuery(since: .after(.revision(3))))
    #expect(!delta.isSnapshot)
    #expect(delta.changes.map(\.content) == [.deleted])
  }

  @Test(
    "§5.3 a copy is right after every pass, whatever is written, deleted or trimmed between its pages",
    arguments: 0..<40)
  func passesWhileTheHorizonMoves(seed: Int) async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let alice = try await swarm.join(as: "alice")
    var random = SplitMix64(seed: UInt64(seed))
    var model: [String: StateValue] = [:]
    var mirror = StateMirror()

    func write() async throws {
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let key = "k\(Int.random(in: 0..<12, using: &random))"
        if Int.random(in: 0..<3, using: &random) == 0 {
          try await alice.state.delete(key)
          model[key] = nil
        } else {
          let value = StateValue.int(Int64.random(in: 0..<100, using: &random))
          try await alice.state.set(key, to: value)
          model[key] = value
        }
      }
      let status = try await swarm.status()
      if Int.random(in: 0..<4, using: &random) == 0, status.revision > status.horizon {
        try await trim(swarm, bench, to: .random(in: (status.horizon + 1)...status.revision, using: &random))
      }
    }

    var snapshots = 0
    var copies: [StateMirror] = []
    for round in 0..<25 {
      try await write()
      copies.append(mirror)
      if round % 3 == 2, let stale = copies.randomElement(using: &random) { mirror = stale }
      var start = mirror.start
      var pages = 0
      while true {
        let page = try await swarm.state.changes(
          ChangesQuery(since: start, limit: Int.random(in: 1...4, using: &random)))
        if page.isSnapshot { snapshots += 1 }
        try mirror.apply(page)
        guard let next = page.next else { break }
        start = .page(next)
        pages += 1
        if pages < 20 { try await write() }
      }
      let values = Dictionary(uniqueKeysWithValues: mirror.values.map { ($0.key.name.string, $0.value) })
      try #require(values == model, "seed \(seed)")
      #expect(mirror.cursor?.revision == (try await swarm.status().revision))
    }
    #expect(snapshots > 0)
  }
}
