import MoaiCRDT
import MoaiFlow
import Synchronization

/// Everything that a run's participants saw and were told, to be judged when it is over.
final class RunLog: Sendable {
  /// A command as it was submitted, and what its sender learned.
  struct Command: Sendable {
    let request: Request
    let sentAt: Int64
    var result: Result?
    var endedAt: Int64 = 0
    /// Times that the sender sent it; the network may have made more of it.
    var attempts = 0

    enum Result: Sendable {
      /// Accepted or refused by an entry.
      case answered(Outcome, Epoch)
      /// Certainly without effect by this attempt.
      case failed(SwarmError)
      case unknown
    }
  }

  /// A reader's whole copy at the end of a pass or batch.
  struct Copy: Sendable {
    let reader: String
    let cursor: Cursor
    let values: [StateKey: StateValue]
  }

  /// A replica has met another: what it writes after `last` names the other's writes up to `met`.
  struct Meeting: Sendable {
    let replica: ReplicaID
    let last: UInt64
    let other: ReplicaID
    let met: UInt64
  }

  /// A replica has come to the end of an exchange: for what it writes after `last` it knew the settings at `cursor`, or
  /// later ones, and what it may spend.
  struct Homecoming: Sendable {
    let replica: ReplicaID
    let last: UInt64
    let cursor: Cursor
  }

  /// What a device showed of the keys that it had written before it went home with its writes up to `last`, which hash
  /// chains to `hash`: what the journal must make of them if nobody else writes there.
  struct Forecast: Sendable {
    let device: String
    let replica: ReplicaID
    let last: UInt64
    let hash: UInt64
    let cursor: Cursor?
    let values: [StateKey: StateValue?]
  }

  struct Seen: Sendable {
    var commands: [CommandID: Command] = [:]
    var commandOrder: [CommandID] = []
    var copied: Set<CommandID> = []
    var copies: [Copy] = []
    var readings: [(key: StateKey, cursor: Cursor, reading: StateReading?)] = []
    var statuses: [SwarmStatus] = []
    var syncs: [(id: CommandID, key: StateKey, report: Result<SyncReport, SwarmError>)] = []
    var violations: [SimulationViolation] = []
    var failedStarts = 0
    /// Somebody has got files that are a copy of others, or older than they were.
    var hasCopiedFiles = false
    /// A backup was restored.
    var hasRestored = false
    var exchanges = 0
    var meetings: [Meeting] = []
    var homecomings: [Homecoming] = []
    var forecasts: [Forecast] = []
    var digest = StableHash()
  }

  private let seen = Mutex(Seen())
  private let clock = SimulatedClock()

  /// Prints every event as it happens.
  private let isTracing: Bool

  init(isTracing: Bool = false) {
    self.isTracing = isTracing
  }

  var all: Seen { seen.withLock { $0 } }

  func violation(_ rule: String, _ text: String) {
    seen.withLock { $0.violations.append(SimulationViolation(rule: rule, text: text)) }
  }

  private func note(_ digest: String, _ body: (inout Seen) -> Void) {
    let now = clock.now.nanoseconds
    if isTracing { print("  \(now / 1_000_000) ms: \(digest)") }
    seen.withLock { seen in
      seen.digest.combine(now)
      seen.digest.combine(bytes: Array(digest.utf8))
      body(&seen)
    }
  }

  func note(_ status: SwarmStatus) {
    note("status \(status.cursor) \(status.chain) \(status.keys)") { $0.statuses.append(status) }
  }

  func note(failedStart text: String) {
    note("start \(text)") { $0.failedStarts += 1 }
  }

  func note(event text: String) {
    note(text) { _ in }
  }

  func note(sent id: CommandID, _ request: Request) {
    let now = clock.milliseconds
    note("sent \(id.low)") { seen in
      if seen.commands[id] == nil {
        seen.commands[id] = Command(request: request, sentAt: now)
        seen.commandOrder.append(id)
      }
      seen.commands[id]?.attempts += 1
    }
  }

  /// An agent's answer to a full sync: the command that the sync will make of it, under the id that it will have.
  func note(answer response: SyncResponse, to request: SyncRequest, by agent: AgentID) {
    let content: WriteRequest.Content
    switch response.content {
    case .operations(let operations): content = .operations(operations)
    case .value(let value): content = .value(value)
    case .nothing: return
    }
    let id = CommandID(high: request.id.high, low: request.id.low ^ agent.simulationHash)
    let write = WriteRequest(request.key, content, base: response.base)
    note(sent: id, Request(author: agent, via: .coordinator, id: id, body: .write([write])))
  }

  /// The network made a second copy of a request.
  func note(copied id: CommandID) {
    seen.withLock { _ = $0.copied.insert(id) }
  }

  func note(_ result: Command.Result, of id: CommandID) {
    let now = clock.milliseconds
    note("result \(id.low) \(result.digest)") { seen in
      seen.commands[id]?.result = result
      seen.commands[id]?.endedAt = now
    }
  }

  func note(_ reading: StateReading?, of key: StateKey, at cursor: Cursor) {
    note("read \(key) \(cursor) \(reading.map { "\($0.value) \($0.revision)" } ?? "-")") { seen in
      seen.readings.append((key, cursor, reading))
    }
  }

  func note(_ mirror: StateMirror, of reader: String) {
    guard let cursor = mirror.cursor else { return }
    note("copy \(reader) \(cursor) \(mirror.values.count)") { seen in
      seen.copies.append(Copy(reader: reader, cursor: cursor, values: mirror.values))
    }
  }

  func note(copy values: [StateKey: StateValue], at cursor: Cursor, of reader: String) {
    note("copy \(reader) \(cursor) \(values.count)") { seen in
      seen.copies.append(Copy(reader: reader, cursor: cursor, values: values))
    }
  }

  func note(_ meeting: Meeting) { seen.withLock { $0.meetings.append(meeting) } }
  func note(_ forecast: Forecast) { seen.withLock { $0.forecasts.append(forecast) } }
  func note(_ homecoming: Homecoming) { seen.withLock { $0.homecomings.append(homecoming) } }
  func noteCopiedFiles() { seen.withLock { $0.hasCopiedFiles = true } }
  func noteRestored() { seen.withLock { $0.hasRestored = true } }
  var hasCopiedFiles: Bool { seen.withLock { $0.hasCopiedFiles } }
  var hasRestored: Bool { seen.withLock { $0.hasRestored } }

  /// A replica and the swarm have exchanged what each lacked.
  func note(exchange reader: String) {
    note("exchange \(reader)") { $0.exchanges += 1 }
  }

  func note(_ report: Result<SyncReport, SwarmError>, of id: CommandID, key: StateKey) {
    let text =
      switch report {
      case .success(let report): "\(report.revision) \(report.responders) \(report.contributions.map(\.fate))"
      case .failure(let error): "\(error)"
      }
    note("sync \(id.low) \(text)") { $0.syncs.append((id, key, report)) }
  }
}

extension RunLog.Command.Result {
  fileprivate var digest: String {
    switch self {
    case .answered(let outcome, let epoch):
      switch outcome.result {
      case .refused(let refusal): "\(epoch) \(outcome.revision) refused \(refusal)"
      case .state(let state): "\(epoch) \(outcome.revision) \(state.keys.map { ($0.revision, $0.version) })"
      default: "\(epoch) \(outcome.revision)"
      }
    case .failed(let error): "failed \(error)"
    case .unknown: "unknown"
    }
  }
}
