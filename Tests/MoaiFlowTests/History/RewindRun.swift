import MoaiCRDT
import MoaiFlowTesting
import Synchronization

@testable import MoaiFlow

/// A random history from a seed, in a real journal: every entry goes into the core and into ``RewindModel``.
struct RewindRun {
  let journal: any Journal
  var core: SwarmState
  var model = RewindModel()
  var random: SplitMix64
  /// What lies behind it is no longer in the journal.
  private(set) var horizon: Revision = 0
  private var checkpoint: Revision = 0
  private var ids: UInt64 = 0

  static let keys = ["c", "s", "m", "r", "v", "x", "y"].map { try! StateKey($0) }
  static let agents = ["alice", "bob", "carol"]

  init(seed: UInt64) async throws {
    let time = Mutex(Int64(1_700_000_000_000))
    let store = InMemoryStore(
      now: {
        time.withLock {
          $0 += 1
          return $0
        }
      }, newEpoch: { Epoch(seed &+ 1) })
    journal = try await store.open(.default)
    core = SwarmState(epoch: journal.epoch)
    random = SplitMix64(seed: seed)
  }

  mutating func pick<T>(_ from: [T]) -> T { from[random.below(from.count)] }

  @discardableResult
  mutating func append(_ command: Command, by agent: String) async throws -> Outcome {
    ids += 1
    let entry = Entry(
      author: try AgentID(agent), id: CommandID(high: 1, low: ids), requestHash: 0, command: command)
    let payload = entry.encoded()
    let appended = try await journal.append([payload])
    return try core.apply(
      JournalEntry(revision: appended.firstRevision, appendedAt: appended.appendedAt, payload: payload)
    ).outcome
  }

  // MARK: Writes

  mutating func write() async throws {
    let agent = pick(RewindRun.agents)
    let count = random.below(5) == 0 ? 2 : 1
    var writes: [KeyWrite] = []
    for _ in 0..<count { writes.append(try write(of: pick(RewindRun.keys))) }
    try await write(writes, by: agent)
  }

  mutating func write(_ writes: [KeyWrite], by agent: String) async throws {
    let outcome = try await append(.state(.write(writes)), by: agent)
    guard case .state = outcome.result else { return }
    for write in writes {
      // A removal from a key that never was is nothing.
      guard let slot = core.state.keys.slot(of: write.key) else { continue }
      let live = Optional(slot).flatMap {
        core.state.keys[$0].record.isDeleted ? nil : core.state.keys[$0].record.header.type
      }
      model.record(
        write, by: agent, at: core.revision,
        type: live ?? write.declaredType ?? write.operations.first?.type ?? .register)
    }
  }

  private mutating func write(of key: StateKey) throws -> KeyWrite {
    let type = currentType(of: key)
    let head = Int(core.revision)
    let base: Revision? =
      switch random.below(4) {
      case 0, 1: nil
      case 2: Revision(random.below(head + 1))
      default: Revision(max(0, head - random.below(6)))
      }
    let content: KeyWrite.Content
    switch random.below(10) {
    case 0, 1: content = .delete
    case 2: content = .value(type, (0..<random.below(3)).map { _ in operation(type) })
    case 3 where type == .counter: content = .value(.counter, [.share(Int64(random.below(20)))])
    default: content = .operations((0...random.below(2)).map { _ in operation(type) })
    }
    return KeyWrite(
      key: key, content: content, base: content == .delete ? nil : base, declaredType: content == .delete ? nil : type,
      strategy: nil)
  }

  /// The key's, or for an absent one what its name says; "x" and "y" come back as anything.
  private mutating func currentType(of key: StateKey) -> CRDTType {
    if let slot = core.state.keys.slot(of: key), !core.state.keys[slot].record.isDeleted {
      return core.state.keys[slot].record.header.type
    }
    switch key.name.string {
    case "c": return .counter
    case "s": return .set
    case "m": return .map
    case "r", "v": return .register
    default: return pick(CRDTType.allCases)
    }
  }

  private mutating func operation(_ type: CRDTType) -> StateOperation {
    let element: StateValue = pick([1, 2, "z"])
    let field = UTF8String(pick(["a", "b"]))
    return switch type {
    case .counter: .increment(Int64(random.below(21)) - 10)
    case .register: .assign(.int(Int64(random.below(9))))
    case .set: random.below(3) > 0 ? .add(element) : .remove(element)
    case .map: random.below(3) > 0 ? .put(field: field, .int(Int64(random.below(9)))) : .removeField(field)
    }
  }

  /// Moves the horizon to where this was called the last time.
  mutating func trim() async throws {
    try await journal.save(core.prepareCheckpoint(keepingPrevious: true).update)
    try await journal.trim(to: checkpoint)
    horizon = checkpoint
    checkpoint = core.revision
  }

  // MARK: Rewinds

  mutating func randomRequest() throws -> RewindRequest {
    let head = core.revision
    let target: RewindRequest.Target
    if random.below(3) == 0, head > horizon {
      target = .revision(.revision(horizon + Revision(random.below(Int(head - horizon))) + 1))
    } else {
      let since = horizon + (random.below(4) == 0 ? 0 : Revision(random.below(Int(head - horizon) + 1)))
      target = .agent(try AgentID(pick(RewindRun.agents)), since: .revision(since))
    }
    let patterns = random.below(4) == 0 ? [GlobPattern(pick(["x", "s", "m"])), GlobPattern("c*")] : []
    return RewindRequest(target, keys: patterns, isPartial: random.below(3) > 0)
  }

  func plan(_ request: RewindRequest) async throws -> RewindPlanner.Plan {
    try await RewindPlanner(
      journal: journal, request: request, target: request.resolved, head: core.revision, horizon: horizon
    ).plan()
  }

  /// Plans, compares the plan with the model's, applies it. Returns what the plan and the model disagree on.
  mutating func rewind(_ request: RewindRequest) async throws -> (revision: Revision?, problem: String?) {
    let plan = try await plan(request)
    var covered: [StateKey: [Revision]] = [:]
    var blocked: [StateKey] = []
    let trimmed = plan.report.blocked.filter { $0.obstacle == .trimmed }.map(\.key)
    for key in trimmed where !model.reaches(behind: horizon, on: key) { return (nil, "\(key) is not trimmed") }
    blocked = trimmed
    for key in RewindRun.keys where request.matches(key) && !trimmed.contains(key) {
      let covers = model.covered(on: key, by: request.resolved)
      if covers.isEmpty { continue }
      if model.value(of: key, without: covers).isRecreated { blocked.append(key) } else { covered[key] = covers }
    }
    blocked.sort()
    guard plan.report.blocked.map(\.key) == blocked else {
      return (nil, "blocked \(plan.report.blocked), expected \(blocked)")
    }
    let isExpected = !covered.isEmpty && (blocked.isEmpty || request.isPartial)
    guard (plan.command != nil) == isExpected else { return (nil, "planned \(plan.command != nil)") }
    guard let command = plan.command else { return (nil, nil) }
    guard command.effects.map(\.key) == covered.keys.sorted() else {
      return (nil, "covers \(command.effects.map(\.key)), expected \(covered.keys.sorted())")
    }
    let outcome = try await append(.state(.rewind(command)), by: "carol")
    guard case .state = outcome.result else { return (nil, "\(outcome.result)") }
    for (key, covers) in covered { model.rewind(key, covering: covers, at: core.revision) }
    return (core.revision, nil)
  }

  // MARK: Comparing

  func reading(_ key: StateKey) -> StateReading? {
    core.state.reading(of: key, agents: core.agents, cursor: Cursor(epoch: core.epoch, revision: core.revision))
  }

  var values: [StateKey: StateValue] {
    Dictionary(uniqueKeysWithValues: RewindRun.keys.compactMap { key in reading(key).map { (key, $0.value) } })
  }

  /// What is there and not what the model says, hidden writes included.
  var difference: String? {
    for key in RewindRun.keys {
      let expected = model.value(of: key)
      let found = reading(key)?.value
      if found != expected.view {
        return "\(key): \(String(describing: found)), expected \(String(describing: expected.view))"
      }
      var hidden: [Part: [StateValue]] = [:]
      for (part, writes) in writes(of: key) where writes.count > 1 {
        hidden[part] = writes.map(\.value).sorted { $0.timestamp < $1.timestamp }.dropLast().map(\.value)
      }
      if hidden != expected.hidden { return "\(key): hidden \(hidden), expected \(expected.hidden)" }
    }
    return nil
  }

  private func writes(of key: StateKey) -> [Part: Writes] {
    guard let slot = core.state.keys.slot(of: key) else { return [:] }
    switch core.state.keys[slot].record.contents {
    case .register(let writes): return [.whole: writes]
    case .parts(let parts): return parts
    case .counter, .deleted: return [:]
    }
  }
}

extension RewindRequest {
  var resolved: RewindTarget {
    switch target {
    case .agent(let agent, .revision(let since)): .agent(agent, since: since)
    case .revision(.revision(let revision)): .revision(revision)
    default: preconditionFailure("tests name revisions")
    }
  }
}
