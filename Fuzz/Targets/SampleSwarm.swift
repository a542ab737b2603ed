import MoaiCRDT
import MoaiFlow
import Synchronization

/// The journal of a swarm in which everything happens once: the real entries from which seeds are made.
struct SampleSwarm {
  static let epoch = Epoch(0xE)

  let entries: [JournalEntry]
  /// The swarm after the last of them.
  let state: SwarmState
  /// All that is in it, as an offline replica takes it.
  let pass: [ChangesPage]
  /// What is asked of a swarm, as a hub answers it.
  let answers: [StateValue]

  init() async throws {
    let clock = Counter(1_700_000_000_000)
    let ids = Counter(0)
    let store = InMemoryStore(now: { clock.next() }, newEpoch: { SampleSwarm.epoch })
    let swarm = try await Swarm.open(
      in: store,
      options: SwarmOptions(
        makeCommandID: { CommandID(high: 0xC, low: UInt64(ids.next())) }, monotonicMilliseconds: { 0 },
        wallMilliseconds: { 0 }))
    try await SampleSwarm.fill(swarm)
    guard case .changes(let page) = try await swarm.answer(.changes(.init(since: .beginning, withOrigins: true))) else {
      throw Finding("a question for changes is answered by something else")
    }
    pass = [page]
    answers = try await SampleSwarm.answers(of: swarm, page)
    let journal = try await store.open(.default)
    let bob = try AgentID("bob")
    let registered = try await swarm.agents.status(of: "bob")?.incarnation ?? 0
    for command in [
      .journal(.tick), .journal(.trim(to: 3)), .journal(.skip(SkippedEntry(hash: 7, reason: "unreadable"))),
      .agent(.fail(bob, incarnation: registered, lastSign: 1_700_000_000_000)),
      .agent(.recover(bob, incarnation: registered)), .agent(.fail(bob, incarnation: registered, lastSign: nil)),
    ] as [Command] {
      let id = CommandID(high: 0xD, low: UInt64(ids.next()))
      _ = try await journal.append([
        Entry(author: .journal, id: id, requestHash: 0, command: command).encoded()
      ])
    }
    entries = try await journal.read(after: 0, entryLimit: .max, byteLimit: .max)
    state = try SwarmState(epoch: SampleSwarm.epoch).applying(entries)
  }

  private static func answers(of swarm: Swarm, _ changes: ChangesPage) async throws -> [StateValue] {
    let status = try await swarm.status()
    let keys = try await swarm.state.keys(includingValues: true)
    let settings = try await swarm.settings().settings
    var answers = [status.json(settings: settings), keys.json, changes.json(withOriginsAs: .delta)]
    for replica in try await swarm.replicas() { answers.append(replica.json) }
    let agents = try await swarm.agents.list()
    answers += [agents.json] + agents.agents.map(\.json)
    for key in keys.keys.map(\.key.description) {
      if let reading = try await swarm.state.read(key) { answers.append(reading.json) }
      answers.append(try await swarm.state.history(of: key).json)
      if let explanation = try await swarm.state.explain(key) { answers.append(explanation.json) }
      let report = try await swarm.state.synchronize(
        key, timeout: .milliseconds(1), quorum: 0, id: CommandID(high: 0xE, low: UInt64(answers.count)))
      answers.append(report.json)
    }
    let alices = RewindRequest(.agent(try AgentID("alice"), since: .revision(0)), isPartial: true)
    answers.append(try await swarm.rewind(alices, as: .operator, via: nil, id: nil, dryRun: true).json)
    return answers
  }

  private static func fill(_ swarm: Swarm) async throws {
    let alice = try await swarm.join(as: "alice").state
    let bob = try await swarm.join(as: "bob").state
    let settings = SwarmSettings(
      policies: [
        KeyPolicy(
          pattern: GlobPattern("stock/*"), type: .counter, writers: [GlobPattern("a*"), GlobPattern("bob")],
          bounds: CounterBounds(minimum: 0, maximum: 100), idleMilliseconds: 60_000),
        KeyPolicy(pattern: GlobPattern("plan"), type: .map, strategy: .vector),
      ], limits: SwarmLimits(valueBytes: 4_096, siblings: 4), retention: HistoryRetention(entries: 1_000))
    _ = try await swarm.perform(Request(author: .operator, body: .settings(settings)))
    try await alice.increment("stock/bolts", by: 5)
    try await bob.increment("stock/bolts", by: -2)
    try await alice.set("tasks", to: ["write", "read", ["step": 1]], type: .set)
    let seen = Cursor(epoch: swarm.epoch, revision: 4)
    try await bob.add("test", to: "tasks")
    try await alice.remove("write", from: "tasks", base: seen)
    try await alice.put(1.5, field: "risk", in: "plan")
    try await bob.put(["high", .null], field: "risk", in: "plan", base: seen)
    try await bob.set("note", to: "caf\u{E9}")
    try await alice.set("note", to: true, base: seen)
    _ = try? await alice.set("note", to: 1, ifRevision: 2)
    try await bob.delete("note")
    try await alice.set("note", to: ["again": .int(.min)])
    _ = try await alice.perform([
      WriteRequest(try StateKey("tasks"), .operations([.add(1), .remove("read")])),
      WriteRequest(try StateKey("plan"), .operations([.put(field: "cost", 3), .removeField("risk")])),
    ])
    let bobs = RewindRequest(.agent(try AgentID("bob"), since: .revision(0)), keys: [GlobPattern("*")], isPartial: true)
    let report = try await swarm.rewind(bobs, as: try AgentID("alice"))
    if let revision = report.revision {
      _ = try await swarm.rewind(RewindRequest(.revision(.revision(revision))), as: .operator, via: .coordinator)
    }
    let deleted = RewindRequest(.revision(.revision(12)), isPartial: true)
    _ = try await swarm.rewind(deleted, as: try AgentID("bob"))
    try await fillOffline(swarm)
    let profile = AgentProfile.Change(
      capabilities: ["swift", "caf\u{E9}"], weight: 3, capacity: .some(2), publicKey: .init(repeating: 7, count: 32),
      metadata: ["team": ["red", 1]])
    try await swarm.join(as: "alice").presence.register(profile)
    try await swarm.join(as: "bob").presence.register()
    try await swarm.join(as: "alice").presence.heartbeat(Heartbeat(busyMilliseconds: 5, progress: 1, status: "reads"))
    try await swarm.join(as: "carol").presence.register()
    try await swarm.join(as: "carol").presence.unregister()
  }

  /// What an offline replica asks of a journal, refused deltas among it.
  private static func fillOffline(_ swarm: Swarm) async throws {
    let ids = Counter(0xA0)
    let sources = Replica.Sources(now: { 1_700_000_000_000 }, newID: { ReplicaID(UInt64(ids.next())) })
    let carol = try await Replica.open(as: "bob", in: InMemoryReplicaStore(), sources: sources)
    try await carol.exchange(with: swarm)
    try await carol.reserve(CounterRight(down: 1, up: 2), of: "stock/bolts", from: swarm)
    try await carol.increment("stock/bolts", by: -1)
    try await carol.perform([
      WriteRequest(try StateKey("tasks"), .operations([.add("offline"), .remove(1)])),
      WriteRequest(try StateKey("plan"), .operations([.put(field: "risk", 0), .removeField("cost")])),
    ])
    try await carol.add("other", to: "fresh")
    try await carol.delete("note")
    try await swarm.join(as: "alice").state.increment("fresh")
    for kept in try await carol.exchange(with: swarm).refused { try await carol.resolve(kept, with: swarm) }
    try await swarm.closeReplica(carol.id)
  }
}

private final class Counter: Sendable {
  private let value: Atomic<Int64>

  init(_ start: Int64) { value = Atomic(start) }

  func next() -> Int64 { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

extension SwarmState {
  /// Applies an entry from its bytes, as a swarm does.
  mutating func apply(bytes: [UInt8], at time: Int64) throws(DecodingFailure) -> (entry: Entry, applied: Applied) {
    let entry = try Entry(decoding: bytes)
    var hash = StableHash()
    hash.combine(bytes: bytes)
    return (entry, apply(entry, revision: revision + 1, appendedAt: time, payloadHash: hash.finalize()))
  }

  func applying(_ entries: [JournalEntry]) throws(DecodingFailure) -> SwarmState {
    var state = self
    for entry in entries { _ = try state.apply(bytes: entry.payload, at: entry.appendedAt) }
    return state
  }

  /// What a checkpoint made now gives when it is loaded.
  func reloaded() throws(DecodingFailure) -> SwarmState {
    let checkpoint = wholeCheckpoint()
    var loader = CheckpointLoader(epoch: epoch)
    for record in checkpoint.upserted.sorted(by: { $0.position.precedes($1.position) }) { try loader.take(record) }
    return try loader.finish(CheckpointHeader(revision: checkpoint.revision, header: checkpoint.header))
  }
}

extension CheckpointUpdate {
  /// The records by their place: in which order they were made says nothing.
  var byPosition: [CheckpointRecord.Position: [UInt8]] {
    Dictionary(upserted.map { ($0.position, $0.bytes) }, uniquingKeysWith: { first, _ in first })
  }
}

/// What whoever has a state does with it, whatever entries or records it came from.
enum StateProbe {
  /// Saves and loads it, writes to every one of `keys` in every way on both, and reads them.
  static func check(_ original: SwarmState, keys: some Collection<StateKey>) throws(Finding) {
    var state = original
    var twin: SwarmState
    do {
      twin = try original.reloaded()
    } catch {
      throw Finding("its own checkpoint is refused: \(error)")
    }
    let saved = original.wholeCheckpoint()
    let savedAgain = twin.wholeCheckpoint()
    try Finding.unless(saved.header == savedAgain.header, "the checkpoint's header changes when it is loaded")
    try Finding.unless(saved.byPosition == savedAgain.byPosition, "the checkpoint's records change when it is loaded")
    for (index, command) in commands(for: keys.prefix(2)).enumerated() {
      let author: AgentID = index % 2 == 0 ? .coordinator : .operator
      let entry = Entry(
        author: author, id: CommandID(high: 0xF0F0, low: UInt64(index)), requestHash: 0, command: command)
      let bytes = entry.encoded()
      do {
        let time = state.time
        let applied = try state.apply(bytes: bytes, at: time).applied
        let again = try twin.apply(bytes: bytes, at: time).applied
        try Finding.unless(applied.outcome == again.outcome, "\(command): another outcome after loading a checkpoint")
        try Finding.unless(applied.changes == again.changes, "\(command): other changes after loading a checkpoint")
      } catch let failure as DecodingFailure {
        throw Finding("an entry of our own is refused: \(failure)")
      } catch {
        throw Finding("\(error)")
      }
    }
    try Finding.unless(state.chain == twin.chain, "another chain after loading a checkpoint")
    for key in keys {
      try Finding.unless(state.reading(of: key) == twin.reading(of: key), "\(key): reads differently after loading")
    }
    _ = state.wholeCheckpoint()
  }

  /// Every kind of write on every key; a refusal is an answer too.
  private static func commands(for keys: some Sequence<StateKey>) -> [Command] {
    let contents: [KeyWrite.Content] = [
      .operations([.increment(1)]), .operations([.share(-3)]), .operations([.add("p")]), .operations([.remove(1)]),
      .operations([.put(field: "risk", 2)]), .operations([.removeField("risk")]), .operations([.assign("p")]),
      .value(.set, [.add(.null), .remove("read")]), .delete, .operations([.increment(.max)]), .delete,
      .operations([.assign(0)]),
    ]
    return keys.flatMap { key in
      contents.enumerated().map { index, content in
        .state(.write([KeyWrite(key: key, content: content, base: index % 3 == 0 ? 1 : nil)]))
      }
    }
  }
}
