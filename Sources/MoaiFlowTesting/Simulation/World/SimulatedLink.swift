import MoaiFlow
import Synchronization

/// A network between one participant and the swarm: it delays, loses, duplicates, and is cut in one direction or both.
///
/// What the participant holds is an ordinary ``SwarmConnection``. An answer that does not come ends, after a while, in
/// `outcomeUnknown`, as with a real one. A request may arrive long after its sender gave up on it, and twice.
final class SimulatedLink: SwarmConnection {
  struct Conditions {
    var requestsAreCut = false
    var answersAreCut = false
    var lossPercent = 0
    var duplicationPercent = 0
    var longestDelay = 20
    var random: SplitMix64
  }

  /// How long a sender waits for an answer, in milliseconds.
  private static let patience = 400

  private let host: SimulatedHost
  private let clock = SimulatedClock()
  private let conditions: Mutex<Conditions>
  private let courier: Courier

  init(host: SimulatedHost, courier: Courier, seed: UInt64) {
    self.host = host
    self.courier = courier
    conditions = Mutex(Conditions(random: SplitMix64(seed: seed)))
  }

  func change(_ body: (inout Conditions) -> Void) {
    conditions.withLock { body(&$0) }
  }

  func heal() {
    change { conditions in
      (conditions.requestsAreCut, conditions.answersAreCut) = (false, false)
      (conditions.lossPercent, conditions.duplicationPercent, conditions.longestDelay) = (0, 0, 5)
    }
  }

  /// One throw of the dice for a message: when it arrives (nil: never), and when a second copy of it does.
  private func fate(isAnswer: Bool) -> (arrival: Int?, copy: Int?) {
    conditions.withLock { conditions in
      let delay = conditions.random.below(conditions.longestDelay + 1)
      let isLost = conditions.random.below(100) < conditions.lossPercent
      let isCut = isAnswer ? conditions.answersAreCut : conditions.requestsAreCut
      let isCopied = conditions.random.below(100) < conditions.duplicationPercent
      let copyDelay = conditions.random.below(5_000)
      return (isLost || isCut ? nil : delay, isCopied ? copyDelay : nil)
    }
  }

  /// Sends something to the swarm and waits for what it says.
  private func exchange<Answer: Sendable>(
    copying id: CommandID?, _ body: @escaping @Sendable (Swarm) async throws(SwarmError) -> Answer
  ) async throws(SwarmError) -> (answer: Answer, epoch: Epoch) {
    let request = fate(isAnswer: false)
    if let id, let copy = request.copy {
      host.log.note(copied: id)
      // The copy finds whoever is there when it arrives.
      courier.send { [host, clock] in
        await clock.pass(copy)
        if let swarm = host.running?.swarm { _ = try? await body(swarm) }
      }
    }
    guard let arrival = request.arrival else { throw await silence() }
    await clock.pass(arrival)
    guard let (swarm, generation) = host.running else { throw await silence() }
    let answer: Answer
    do {
      answer = try await body(swarm)
    } catch {
      guard host.isRunning(generation) else { throw await silence() }
      if case .corrupt(let revision, let how) = error {
        host.log.violation("§10.1", "nobody damages the disk, but it is said to be at \(revision): \(how)")
      }
      guard let back = fate(isAnswer: true).arrival else { throw await silence() }
      await clock.pass(back)
      throw error
    }
    guard host.isRunning(generation) else { throw await silence() }
    guard let back = fate(isAnswer: true).arrival else { throw await silence() }
    await clock.pass(back)
    return (answer, swarm.epoch)
  }

  private func silence() async -> SwarmError {
    await clock.pass(SimulatedLink.patience)
    return .outcomeUnknown("no answer")
  }

  func perform(_ request: Request) async throws(SwarmError) -> Outcome {
    var request = request
    if case .replica = request.body, request.id == nil {
      // What a replica asks for by itself: the log must know it.
      let id = conditions.withLock { CommandID(using: &$0.random) }
      request = Request(author: request.author, via: request.via, id: id, body: request.body)
      host.log.note(sent: id, request)
    }
    let (outcome, epoch) = try await performing(request)
    if case .replica = request.body, let id = request.id { host.log.note(.answered(outcome, epoch), of: id) }
    return outcome
  }

  /// The outcome, and the epoch of the swarm that answered.
  func performing(_ request: Request) async throws(SwarmError) -> (outcome: Outcome, epoch: Epoch) {
    let (answer, epoch) = try await exchange(copying: request.id) { swarm throws(SwarmError) in
      try await swarm.perform(request)
    }
    return (answer, epoch)
  }

  func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    try await exchange(copying: nil) { swarm throws(SwarmError) in
      try await swarm.heartbeat(heartbeat, of: agent)
    }.answer
  }

  func rewind(
    _ request: RewindRequest, as author: AgentID, via: AgentID?, id: CommandID?, dryRun: Bool
  ) async throws(SwarmError) -> RewindReport {
    try await exchange(copying: id) { swarm throws(SwarmError) in
      try await swarm.rewind(request, as: author, via: via, id: id, dryRun: dryRun)
    }.answer
  }

  func send(_ deltas: [ReplicaDelta], as author: AgentID, via: AgentID?) async throws(SwarmError) -> [Outcome] {
    for delta in deltas {
      host.log.note(
        sent: delta.commandID, Request(author: author, via: via, id: delta.commandID, body: .replica(.delta(delta))))
    }
    let (outcomes, epoch) = try await exchange(copying: deltas.first?.commandID) { swarm throws(SwarmError) in
      try await swarm.send(deltas, as: author, via: via)
    }
    for (delta, outcome) in zip(deltas, outcomes) { host.log.note(.answered(outcome, epoch), of: delta.commandID) }
    return outcomes
  }

  func answer(_ query: Query) async throws(SwarmError) -> Answer {
    try await exchange(copying: nil) { swarm throws(SwarmError) in try await swarm.answer(query) }.answer
  }

  func answer(_ query: Query, atLeast freshness: Freshness) async throws(SwarmError) -> Answer {
    try await exchange(copying: nil) { swarm throws(SwarmError) in
      try await swarm.answer(query, atLeast: freshness)
    }.answer
  }

  /// The feed of the process that runs now. It knows nothing of the network: who reads it asks ``incoming()``.
  func follow(since: ChangesStart, matching filter: KeyFilter) -> ChangeFeed {
    guard let swarm = host.running?.swarm else { preconditionFailure("nobody runs that could be followed") }
    return swarm.follow(since: since, matching: filter)
  }

  /// Whether a message from the swarm would arrive now, and after how long.
  func incoming() -> Int? { fate(isAnswer: true).arrival }
}

/// Carries what is under way without anybody waiting for it; the end of a run waits until all has arrived.
final class Courier: Sendable {
  private let underWay = Mutex(0)
  private let clock = SimulatedClock()

  init() {}

  func send(_ body: @escaping @Sendable () async -> Void) {
    underWay.withLock { $0 += 1 }
    Task {
      await body()
      underWay.withLock { $0 -= 1 }
    }
  }

  /// Waits until nothing is under way, at most so many milliseconds; false if something still is.
  func settle(within milliseconds: Int) async -> Bool {
    let end = clock.milliseconds + Int64(milliseconds)
    while underWay.withLock({ $0 }) > 0 {
      if clock.milliseconds >= end { return false }
      await clock.pass(20)
    }
    return true
  }
}
