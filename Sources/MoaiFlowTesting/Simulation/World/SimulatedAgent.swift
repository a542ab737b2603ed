import MoaiCRDT
import MoaiFlow
import Synchronization

/// A participant that writes, retries under the same command id, and answers full syncs with what it has.
final class SimulatedAgent: Sendable {
  private struct Knowledge {
    /// The last places and values that it was told of, newest last.
    var readings: [StateReading] = []
    var cursors: [Cursor] = []
  }

  /// Places that an agent remembers: the older, the staler its bases.
  private static let memory = 6

  let name: AgentID
  let link: SimulatedLink
  private let log: RunLog
  private let clock = SimulatedClock()
  private let knowledge = Mutex(Knowledge())

  init(name: String, link: SimulatedLink, log: RunLog) {
    self.name = AgentID(simulated: name)
    self.link = link
    self.log = log
  }

  private var cursors: [Cursor] { knowledge.withLock { $0.cursors } }

  private func learn(_ reading: StateReading) {
    knowledge.withLock { knowledge in
      knowledge.readings.append(reading)
      if knowledge.readings.count > SimulatedAgent.memory { knowledge.readings.removeFirst() }
    }
    learn(reading.cursor)
  }

  private func learn(_ cursor: Cursor) {
    knowledge.withLock { knowledge in
      knowledge.cursors.append(cursor)
      if knowledge.cursors.count > SimulatedAgent.memory { knowledge.cursors.removeFirst() }
    }
  }

  // MARK: Writing

  func write(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let known = cursors
    let count = workload.chance(75) ? 1 : 2 + workload.below(2)
    let writes = (0..<count).map { _ in workload.write(knowing: known) }
    await submit(writes, &workload)
  }

  /// Reads a key, then writes it back changed, as somebody does who believes that nobody else is there.
  func readModifyWrite(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let (key, type) = workload.key()
    guard !Workload.tallies.contains(key.name.string), let reading = await read(key, at: nil) else { return }
    await clock.pass(workload.below(60))
    if workload.chance(10) {
      return await submit([WriteRequest(key, .delete, base: .cursor(reading.cursor))], &workload)
    }
    var value = workload.wholeValue(type)
    switch reading.value {
    case .int(let number) where type == .counter: value = .int(number &+ 1)
    case .array(var elements) where type == .set:
      if !elements.isEmpty, workload.chance(50) { elements.remove(at: workload.below(elements.count)) }
      value = .array(elements + [workload.element()])
    case .object(let object) where type == .map:
      value = .object(object.setting(workload.field(), to: workload.element()))
    default: break
    }
    let isConditional = workload.chance(40)
    let write = WriteRequest(
      key, .value(value), base: isConditional && workload.chance(50) ? nil : .cursor(reading.cursor),
      ifRevision: isConditional ? .revision(reading.revision) : nil)
    await submit([write], &workload)
  }

  /// Deletes one of the keys, unless it must stay for the sake of its count.
  func delete(_ dice: SplitMix64, from keys: [StateKey]) async {
    var workload = Workload(random: dice)
    let deletable = keys.filter { Workload.names.contains($0.name.string) }
    guard !deletable.isEmpty else { return }
    await submit([WriteRequest(workload.pick(deletable), .delete)], &workload)
  }

  /// Sees to it that there is something to reserve: a counter, and a policy that bounds it.
  func openBudget(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let budget = StateKey(simulated: Workload.budget)
    if await read(budget, at: nil) != nil { return }
    let settings = workload.settings(boundingBudget: true)
    await submit(Request(author: .operator, id: workload.commandID(), body: .settings(settings)), &workload)
    await submit([WriteRequest(budget, .operations([.increment(10)]), type: .counter)], &workload)
  }

  func replaceSettings(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let settings = workload.settings()
    await submit(Request(author: .operator, id: workload.commandID(), body: .settings(settings)), &workload)
  }

  private func submit(_ writes: [WriteRequest], _ workload: inout Workload) async {
    await submit(Request(author: name, id: workload.commandID(), body: .write(writes)), &workload)
  }

  private func submit(_ request: Request, _ workload: inout Workload) async {
    guard let id = request.id else { return }
    var mayBeStored = false
    for _ in 0...(workload.below(6)) {
      log.note(sent: id, request)
      do {
        let (outcome, epoch) = try await link.performing(request)
        log.note(.answered(outcome, epoch), of: id)
        if outcome.revision > 0 { learn(Cursor(epoch: epoch, revision: outcome.revision)) }
        return
      } catch {
        switch error {
        case .invalid, .futureRevision, .trimmed:
          log.note(mayBeStored ? .unknown : .failed(error), of: id)
          return
        case .busy, .engine: log.note(mayBeStored ? .unknown : .failed(error), of: id)
        default:
          mayBeStored = true
          log.note(.unknown, of: id)
        }
      }
      await clock.pass(workload.below(workload.chance(20) ? 3_000 : 150))
    }
  }

  // MARK: Reading

  func read(_ dice: SplitMix64) async {
    var workload = Workload(random: dice)
    let (key, _) = workload.key()
    let known = cursors
    let at: RevisionReference? =
      known.isEmpty || workload.chance(50) ? nil : workload.reference(to: workload.pick(known))
    if at == nil, !known.isEmpty, workload.chance(40) {
      return await read(key, atLeast: workload.pick(known), more: Revision(workload.below(4)))
    }
    _ = await read(key, at: at)
  }

  /// Waits for what it was told of, or for what may come (rule §5.7).
  private func read(_ key: StateKey, atLeast cursor: Cursor, more: Revision) async {
    let wanted = Cursor(epoch: cursor.epoch, revision: cursor.revision + more)
    let freshness = Freshness(atLeast: .cursor(wanted), within: .milliseconds(300), clock: clock)
    guard let answer = try? await link.answer(.value(key, at: nil), atLeast: freshness),
      case .value(let reading?) = answer
    else { return }
    if reading.cursor.epoch != wanted.epoch || reading.cursor.revision < wanted.revision {
      log.violation("§5.7", "\(key) was to be read at \(wanted) or later, and was read at \(reading.cursor)")
    }
    log.note(reading, of: key, at: reading.cursor)
    learn(reading)
  }

  private func read(_ key: StateKey, at: RevisionReference?) async -> StateReading? {
    guard let answer = try? await link.answer(.value(key, at: at)), case .value(let reading) = answer else {
      return nil
    }
    if let reading {
      log.note(reading, of: key, at: reading.cursor)
      if at == nil { learn(reading) }
    } else if case .cursor(let cursor)? = at {
      log.note(nil, of: key, at: cursor)
    }
    return reading
  }

  // MARK: Full sync

  /// Answers full syncs from now on. What it answers depends on the request and the agent alone.
  func openSession(at coordinator: SwarmCoordinator) async {
    await coordinator.register(name) { [self] message in
      guard case .stateRequest(let request) = message else { return nil }
      return .state(try await answer(request))
    }
  }

  private struct Indisposed: Error {}

  private func answer(_ request: SyncRequest) async throws -> SyncResponse {
    var workload = Workload(random: SplitMix64(seed: request.id.low ^ name.simulationHash))
    if workload.chance(15) { throw Indisposed() }
    await clock.pass(workload.chance(15) ? 1_500 : workload.below(200))
    let reading = knowledge.withLock { $0.readings.last { $0.key == request.key } }
    let type = Workload.keys.first { $0.name == request.key.name.string }?.type ?? .register
    let base = workload.chance(85) ? reading.map { RevisionReference.cursor($0.cursor) } : nil
    let response: SyncResponse
    switch workload.below(4) {
    case 0: return SyncResponse(base: base, .nothing)
    case 1: response = SyncResponse(base: base, .operations([workload.operation(type)]))
    case 2: response = SyncResponse(base: base, .value(reading?.value ?? workload.wholeValue(type)))
    default: response = SyncResponse(base: base, .value(workload.wholeValue(type)))
    }
    log.note(answer: response, to: request, by: name)
    return response
  }
}

extension AgentID {
  /// The same number in every process.
  var simulationHash: UInt64 {
    var hash = StableHash()
    hash.combine(bytes: Array(name.string.utf8))
    return hash.finalize()
  }
}
