import MoaiCRDT
import MoaiFlowTesting

@testable import MoaiFlow

/// The pure core under test: entries go in one by one, with a clock that the test moves.
struct CoreHarness {
  private(set) var core: SwarmState
  private(set) var journal: [JournalEntry] = []
  private(set) var changes: [[StateChange]] = []
  var now: Int64 = 1_700_000_000_000
  private var ids: UInt64 = 0

  init(epoch: UInt64 = 0xE) {
    core = SwarmState(epoch: Epoch(epoch))
  }

  /// Goes on from a state that came from elsewhere; its past cannot be asked for.
  init(_ core: SwarmState) {
    self.core = core
  }

  /// Appends and applies a command, as the swarm's writer does.
  @discardableResult
  mutating func apply(
    _ command: Command, by agent: String, id: CommandID? = nil, hash: UInt64 = 0
  ) -> Outcome {
    ids += 1
    let entry = Entry(
      author: try! AgentID(author: agent), id: id ?? CommandID(high: 0, low: ids),
      requestHash: hash, command: command)
    let stored = JournalEntry(revision: core.revision + 1, appendedAt: now, payload: entry.encoded())
    journal.append(stored)
    let applied = try! core.apply(stored)
    changes.append(applied.changes)
    return applied.outcome
  }

  /// Plans and applies a request, looking the past up in the journal where the planner asks for it.
  @discardableResult
  mutating func write(
    _ key: String, _ content: WriteRequest.Content, by agent: String = "alice", base: Revision? = nil,
    ifRevision: Revision? = nil, type: CRDTType? = nil, strategy: KeyStrategy? = nil
  ) throws -> KeyResult {
    let request = WriteRequest(
      try StateKey(key), content, base: base.map { .revision($0) }, ifRevision: ifRevision.map { .revision($0) },
      type: type, strategy: strategy)
    guard let result = try write([request], by: agent).first else { throw AnsweredOtherwise() }
    return result
  }

  /// The command id was remembered for a command of another kind: only a damaged state says so.
  struct AnsweredOtherwise: Error {}

  @discardableResult
  mutating func write(_ requests: [WriteRequest], by agent: String) throws -> [KeyResult] {
    let planned = try requests.map { try plan($0) }
    let outcome = apply(.state(.write(planned)), by: agent)
    switch outcome.result {
    case .state(let state): return state.keys
    case .refused(let refusal): throw refusal
    default: return []
    }
  }

  private func plan(_ request: WriteRequest) throws -> KeyWrite {
    let planner = StatePlanner(
      state: core.state, agents: core.agents, settings: core.settings.settings, epoch: core.epoch, head: core.revision)
    switch try planner.plan(request, field: "") {
    case .ready(let write): return write
    case .needsPast(let base):
      let past = replayed(upTo: base)
      let value =
        past.state.keys.slot(of: request.key)
        .map { PastValue(past.state.keys[$0].record, changedSince: [:], past.agents) } ?? .absent
      guard case .ready(let write) = try planner.plan(request, field: "", past: value) else { fatalError() }
      return write
    }
  }

  /// Applies one operation without the way through bytes and planner, for tests that need thousands.
  mutating func applyFast(_ operation: StateOperation, to key: String, by agent: String = "alice") {
    ids += 1
    let entry = Entry(
      author: try! AgentID(agent), id: CommandID(high: 0, low: ids), requestHash: 0,
      command: .state(.write([KeyWrite(key: try! StateKey(key), content: .operations([operation]))])))
    _ = core.apply(entry, revision: core.revision + 1, appendedAt: now, payloadHash: ids)
  }

  /// What the next checkpoint saves.
  mutating func checkpoint() -> CheckpointUpdate { core.prepareCheckpoint().update }

  mutating func beginCheckpoint() -> PreparedCheckpoint { core.prepareCheckpoint() }
  mutating func abandon(_ checkpoint: PreparedCheckpoint) { core.abandon(checkpoint) }

  /// The state that the journal's first entries give.
  func replayed(upTo revision: Revision = .max) -> SwarmState {
    var replay = SwarmState(epoch: core.epoch)
    for entry in journal where entry.revision <= revision { _ = try! replay.apply(entry) }
    return replay
  }

  var cursor: Cursor { Cursor(epoch: core.epoch, revision: core.revision) }

  func reading(_ key: String) -> StateReading? {
    core.state.reading(of: try! StateKey(key), agents: core.agents, cursor: cursor)
  }

  func value(_ key: String) -> StateValue? { reading(key)?.value }

  /// The names of the keys, gathered page by page.
  mutating func keys(prefix: String = "", pageSize: Int = 1_000) -> [String] {
    var names: [String] = []
    var after: StateKey?
    repeat {
      let page = core.state.page(
        KeyFilter(prefix: prefix), after: after, limit: pageSize, includingValues: false, agents: core.agents,
        cursor: cursor)
      names += page.keys.map(\.key.name.string)
      after = page.next
    } while after != nil
    return names
  }

  func changes(
    since: Revision, position: Revision? = nil, limit: Int = .max, maxBytes: Int = .max, asValues: Bool = false
  ) -> ChangesPage {
    core.state.changes(
      since: since, position: position ?? since, began: core.revision, isSnapshot: false,
      query: ChangesQuery(since: .beginning, limit: limit, maxBytes: maxBytes, asValues: asValues),
      head: core.revision, epoch: core.epoch, agents: core.agents)
  }
}

extension SwarmState {
  /// Everything that two hubs at one revision must agree on.
  var fingerprint: Fingerprint {
    Fingerprint(
      revision: revision, time: time, chain: chain, lastTimestamp: lastTimestamp, horizon: horizon,
      agents: agents.names,
      settings: settings.settings, remembered: remembered.count,
      replicas: Dictionary(
        uniqueKeysWithValues: replicas.replicas.rows.indices.map {
          (replicas.replicas.id(of: $0), replicas.record(in: $0))
        }),
      roster: Dictionary(
        uniqueKeysWithValues: roster.rows.rows.indices.map { (roster.rows.id(of: $0), roster.record(in: $0)) }),
      records: Dictionary(
        uniqueKeysWithValues: state.keys.rows.indices.map { (state.keys.id(of: $0), state.record(in: $0)) }))
  }

  struct Fingerprint: Equatable {
    let revision: Revision
    let time: Int64
    let chain: UInt64
    let lastTimestamp: Timestamp
    let horizon: Horizon
    let agents: [AgentID]
    let settings: SwarmSettings
    let remembered: Int
    let replicas: [ReplicaID: [UInt8]]
    let roster: [AgentID: [UInt8]]
    let records: [StateKey: [UInt8]]
  }
}

extension WriteRequest.Content {
  static func increment(_ amount: Int64) -> Self { .operations([.increment(amount)]) }
  static func add(_ element: StateValue) -> Self { .operations([.add(element)]) }
  static func remove(_ element: StateValue) -> Self { .operations([.remove(element)]) }
  static func put(_ field: String, _ value: StateValue) -> Self {
    .operations([.put(field: UTF8String(field), value)])
  }
  static func removeField(_ field: String) -> Self { .operations([.removeField(UTF8String(field))]) }
  static func assign(_ value: StateValue) -> Self { .operations([.assign(value)]) }
}
