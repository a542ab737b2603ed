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
    files.replace(by: records)
    contents.withLock { $0.mayBeLost += $0.entered }
    await start()
  }

  // MARK: Writing

  func write(_ dice: SplitMix64) async {
    guard let replica else { return await start() }
    var workload = Workload(random: dice)
    if workload.chance(40) { return await enter(into: replica, &workload) }
    let (key, type) = workload.key()
    guard !Workload.tallies.contains(key.name.string) else { return }
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
      guard isStillRunning, case .array(let shown)? = try await replica.read(SimulatedDevice.ledger)?.value,
        !shown.contains(element), !(await isGone(from: replica))
      else { return }
      log.violation("§5.6", "\(name) does not show what it has just written")
    } catch {
      note(error, "a write")
    }
  }

  private func isGone(from replica: Replica) async -> Bool { contents.withLock { $0.replica !== replica } }

  /// Spends what it may, and reserves what it can.
  func spend(_ dice: SplitMix64) async {
    guard let replica else { return await start() }
    var workload = Workload(random: dice)
    do {
      if workload.chance(50) {
        let right = CounterRight(down: Int64(1 + workload.below(8)))
        _ = try await replica.reserve(right, of: Workload.budget, from: link)
      } else {
        try await replica.increment(Workload.budget, by: -Int64(1 + workload.below(6)))
      }
    } catch {
      note(error, "spending")
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
    do {
      let report = try await replica.exchange(with: link)
      let id = await replica.id
      contents.withLock { _ = $0.ids.insert(id) }
      for renumbering in report.renumberings { log.note(event: "\(name) \(renumbering.reason)") }
      log.note(exchange: name)
      if let copy = await replica.settledCopy { log.note(copy: copy.values, at: copy.cursor, of: name) }
      return true
    } catch {
      note(error, "an exchange")
      return false
    }
  }

  func meet(_ other: SimulatedDevice) async {
    guard let replica, let peer = other.replica, replica !== peer else { return }
    do {
      try await replica.exchange(with: peer)
    } catch {
      note(error, "a meeting")
    }
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
  /// What it shows, if all of that is in the swarm.
  fileprivate var settledCopy: (cursor: Cursor, values: [StateKey: StateValue])? {
    guard let cursor, !hasPending else { return nil }
    return (cursor, shownValues)
  }
}
