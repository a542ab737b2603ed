import MoaiCRDT
import MoaiFlow
import Synchronization

/// A device with an offline replica: it writes, meets others, goes online, crashes, and comes back with its files,
/// without them, or with a copy of another's.
///
/// Some of its writes go into the ledger: an element that nobody else adds, and one more on a counter, in one delta. So a
/// delta that is lost, split or counted twice shows at every revision.
final class SimulatedDevice: Sendable {
  /// Written by devices only.
  static let ledger = "ledger"
  static let ledgerCount = "ledger-count"

  private struct Contents {
    var replica: Replica?
    /// Elements that were acknowledged here, and are in the files.
    var entered: [StateValue] = []
    /// Elements that may be gone because files were lost.
    var mayBeLost: [StateValue] = []
    /// Every id that it ever had.
    var ids: Set<ReplicaID> = []
    /// Exchanges and reservations so far, under way ones included: they change what it may spend.
    var turns = 0
  }

  let name: String
  let link: SimulatedLink
  let files: SimulatedFiles
  private let contents: Mutex<Contents>
  private let sources: Replica.Sources
  private let random: Mutex<SplitMix64>
  private let log: RunLog
  private let clock = SimulatedClock()

  init(name: String, agent: String, link: SimulatedLink, sources: Replica.Sources, log: RunLog, seed: UInt64) {
    self.name = name
    self.link = link
    self.sources = sources
    self.log = log
    files = SimulatedFiles(agent: agent)
    contents = Mutex(Contents())
    random = Mutex(SplitMix64(seed: seed))
  }

  var replica: Replica? { contents.withLock { $0.replica } }
  /// What must be in the ledger when all is over, unless a rule refused it.
  var entered: [StateValue] {
    contents.withLock { contents in contents.entered.filter { !contents.mayBeLost.contains($0) } }
  }
  var ids: Set<ReplicaID> { contents.withLock { $0.ids } }
  var mayBeLost: [StateValue] { contents.withLock { $0.mayBeLost } }

  /// Opens the files that are there.
  func start() async {
    do {
      let replica = try await Replica.open(as: files.agent, in: files.open(), sources: sources)
      let id = await replica.id
      contents.withLock { contents in
        contents.replica = replica
        contents.ids.insert(id)
      }
    } catch {
      switch error {
      // The first commit met a fault.
      case .store: break
      default: log.violation("§5.6", "\(name) does not start: \(error)")
      }
    }
  }

  /// The process dies: what was not stored is gone.
  func crash() {
    _ = files.open()
    contents.withLock { $0.replica = nil }
  }

  /// The device comes back with other files than it had.
  func comeBack(with records: SimulatedFiles.Records?) async {
    crash()
    if records != nil { log.noteCopiedFiles() }
    files.replace(by: records)
    contents.withLock { $0.mayBeLost += $0.entered }
    await start()
  }

  // MARK: Writing

  func write(_ dice: SplitMix64) async {
    guard let replica else { return await start() }
    var workload = Workload(random: dice)
    if workload.chance(40) { return await enter(into: replica, &workload) }
    if workload.chance(40), let request = await rewriting(replica, &workload) {
      do { try await replica.perform([request]) } catch { note(error, "a write") }
      return
    }
    let (key, type) = workload.key()
    guard !Workload.tallies.contains(key.name.string) else { return }
    // Devices that write the same key at the same instant write different things.
    workload.random = SplitMix64(seed: workload.random.next() ^ AgentID(simulated: name).simulationHash)
    let content: WriteRequest.Content =
      switch workload.below(10) {
      case 0: .delete
      case 1, 2: .value(workload.wholeValue(type), replacing: workload.chance(50))
      default: .operations((0...workload.below(3)).map { _ in workload.operation(type) })
      }
    do {
      try await replica.perform([WriteRequest(key, content, type: workload.chance(50) ? type : nil)])
    } catch {
      note(error, "a write")
    }
  }

  /// A change of what it shows of a key, mostly of one that it or somebody whom it met has written.
  private func rewriting(_ replica: Replica, _ workload: inout Workload) async -> WriteRequest? {
    let all = await workload.chance(80) ? replica.pendingKeys : replica.keys()
    let keys = all.filter { Workload.names.contains($0.name.string) }
    guard !keys.isEmpty else { return nil }
    let key = workload.pick(keys)
    guard let reading = try? await replica.read(key.name.string) else {
      let type = Workload.keys.first { $0.name == key.name.string }?.type ?? .register
      return WriteRequest(key, .operations([workload.operation(type)]))
    }
    guard workload.chance(75), let operation = workload.operation(on: reading.value, reading.type) else {
      return WriteRequest(key, .delete)
    }
    return WriteRequest(key, .operations([operation]))
  }

  /// Enters an element into the ledger.
  func enter(_ dice: SplitMix64) async {
    guard let replica else { return await start() }
    var workload = Workload(random: dice)
    await enter(into: replica, &workload)
  }

  private func enter(into replica: Replica, _ workload: inout Workload) async {
    let element = StateValue.string(UTF8String("\(name)-\(workload.random.next())"))
    do {
      try await replica.perform([
        WriteRequest(StateKey(simulated: SimulatedDevice.ledger), .operations([.add(element)])),
        WriteRequest(StateKey(simulated: SimulatedDevice.ledgerCount), .operations([.increment(1)])),
      ])
      let isStillRunning = contents.withLock { contents in
        guard contents.replica === replica else {
          contents.mayBeLost.append(element)
          return false
        }
        contents.entered.append(element)
        return true
      }
      if isStillRunning { await judge(replica) }
    } catch {
      note(error, "a write")
    }
  }

  /// What was acknowledged here is shown here, whether or not the swarm has it by now, unless a rule refused it (rule §5.6).
  private func judge(_ replica: Replica) async {
    let expected = entered
    let value = try? await replica.read(SimulatedDevice.ledger)?.value
    let shown = Set(value?.arrayValue ?? [])
    // Asked last: what is refused meanwhile may still have been shown.
    let lists = await replica.refused.map(\.delta) + replica.doubtful + replica.unanswered
    let excused = Set(lists.flatMap(\.writes).flatMap(\.addedElements))
    let isStillRunning = contents.withLock { $0.replica === replica }
    // After a restore, and with the files of another device, it is for the journal to say what there is.
    guard isStillRunning, !log.hasRestored, !log.hasCopiedFiles else { return }
    for element in expected where !shown.contains(element) && !excused.contains(element) && !mayBeLost.contains(element)
    {
      log.violation("§5.6", "\(name) does not show \(element), which it wrote into the ledger")
    }
  }

  /// Spends what it may, and reserves what it can.
  func spend(_ dice: SplitMix64) async {
    guard let replica else { return await start() }
    var workload = Workload(random: dice)
    do {
      if workload.chance(50) {
        let right = CounterRight(down: Int64(1 + workload.below(8)))
        // What is spent and not sent yet is not there to spend again afterwards.
        if workload.chance(30) { try await spend(1, of: replica) }
        try await reserve(right, for: replica)
        if workload.chance(30) { try await spendAll(of: replica) }
      } else if workload.chance(70) {
        try await spend(Int64(1 + workload.below(6)), of: replica)
      } else {
        // Together with something that the swarm may refuse.
        try await replica.perform([
          WriteRequest(StateKey(simulated: Workload.budget), .operations([.increment(-1)])),
          WriteRequest(StateKey(simulated: "any/1"), .operations([workload.operation(workload.pick([.set, .map]))])),
        ])
      }
    } catch {
      note(error, "spending")
    }
  }

  private func reserve(_ right: CounterRight, for replica: Replica) async throws(ReplicaError) {
    contents.withLock { $0.turns += 1 }
    defer { contents.withLock { $0.turns += 1 } }
    _ = try await replica.reserve(right, of: Workload.budget, from: link)
  }

  private func spendAll(of replica: Replica) async throws(ReplicaError) {
    let all = await replica.rights[StateKey(simulated: Workload.budget)]?.down ?? 0
    if all > 0 { try await spend(all, of: replica) }
  }

  /// What it spends is subtracted at once from what it may spend (rule §4.6).
  private func spend(_ amount: Int64, of replica: Replica) async throws(ReplicaError) {
    let key = StateKey(simulated: Workload.budget)
    let turns = contents.withLock { $0.turns }
    let before = await replica.rights[key]?.down ?? 0
    try await replica.increment(Workload.budget, by: -amount)
    let after = await replica.rights[key]?.down ?? 0
    let isUndisturbed = contents.withLock { $0.turns == turns && $0.replica === replica }
    if isUndisturbed, turns % 2 == 0, before >= amount, after > before - amount {
      log.violation("§4.6", "\(name) might spend \(before), spent \(amount), and may still spend \(after)")
    }
  }

  // MARK: Meeting

  /// Exchanges with the swarm; false if that did not work.
  @discardableResult
  func exchange() async -> Bool {
    guard let replica else {
      await start()
      return false
    }
    contents.withLock { $0.turns += 1 }
    defer { contents.withLock { $0.turns += 1 } }
    if let forecast = await replica.forecast(for: name) { log.note(forecast) }
    do {
      let report = try await replica.exchange(with: link)
      let place = await replica.place
      contents.withLock { _ = $0.ids.insert(place.id) }
      if let cursor = report.cursor { log.note(.init(replica: place.id, last: place.last, cursor: cursor)) }
      for renumbering in report.renumberings {
        log.note(event: "\(name) \(renumbering.reason)")
        if renumbering.reason == .forked, !log.hasCopiedFiles {
          log.violation("§5.6", "\(name) is told of a fork, and nobody has copied any files")
        }
      }
      log.note(exchange: name)
      if let copy = await replica.settledCopy { log.note(copy: copy.values, at: copy.cursor, of: name) }
      await judge(replica)
      return true
    } catch {
      note(error, "an exchange")
      return false
    }
  }

  func meet(_ other: SimulatedDevice) async {
    guard let replica, let peer = other.replica, replica !== peer else { return }
    do {
      let before = await (replica.place, peer.place)
      try await replica.exchange(with: peer)
      note(before, await (replica.place, peer.place))
      await judge(replica)
      await other.judge(peer)
    } catch {
      note(error, "a meeting")
    }
  }

  private typealias Places = (
    mine: (id: ReplicaID, last: UInt64, stored: UInt64), theirs: (id: ReplicaID, last: UInt64, stored: UInt64)
  )

  /// Both have met what the other had stored before.
  private func note(_ before: Places, _ after: Places) {
    guard before.mine.id == after.mine.id, before.theirs.id == after.theirs.id else { return }
    log.note(.init(replica: after.mine.id, last: after.mine.last, other: before.theirs.id, met: before.theirs.stored))
    log.note(.init(replica: after.theirs.id, last: after.theirs.last, other: before.mine.id, met: before.mine.stored))
  }

  /// What may go wrong with a device; anything else is a fault of the product.
  private func note(_ error: ReplicaError, _ what: String) {
    log.note(event: "\(name) \(what): \(error)")
    switch error {
    case .damaged: log.violation("§5.6", "\(name), \(what): \(error)")
    case .swarm(.corrupt(let revision, let how)):
      log.violation("§10.1", "\(name), \(what): corrupt at \(revision), \(how)")
    case .store, .closed: restartLater()
    default: break
    }
  }

  /// A process whose store fails ends, and somebody starts it again.
  private func restartLater() {
    crash()
  }
}

extension Replica {
  /// What it says that its own writes come to, if nothing that it met or learnt is in between.
  fileprivate func forecast(for device: String) -> RunLog.Forecast? {
    guard isUndisturbed, unsentCount > 0 else { return nil }
    var values: [StateKey: StateValue?] = [:]
    for key in pendingKeys { values[key] = .some(shownValues[key]) }
    return RunLog.Forecast(
      device: device, replica: place.id, last: place.last, hash: lastHash, cursor: cursor, values: values)
  }

  /// What it shows, if all of that is in the swarm.
  fileprivate var settledCopy: (cursor: Cursor, values: [StateKey: StateValue])? {
    guard let cursor, !hasPending else { return nil }
    return (cursor, shownValues)
  }
}
