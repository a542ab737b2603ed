/// The agents of one process: each registers a handler, which gets its messages one at a time and in order.
///
/// A handler that hangs blocks only its own agent: messages to it queue up to ``sessionLimit``, then sending fails.
public actor SwarmCoordinator: Coordinator {
  /// Answers a request, or returns nil for a message that wants no answer.
  public typealias Handler = @Sendable (AgentMessage) async throws -> AgentReply?

  /// Messages that wait for one agent at most. Raising it hides slow agents for longer.
  public static let sessionLimit = 1_024
  /// How long after its end a request still takes late answers.
  public static let lateWindow = Duration.seconds(300)

  /// Takes a message at once, or says that there is no room for it. A request comes with a way to answer, which may be used
  /// whenever the answer is there.
  package typealias Receiver = @Sendable (AgentMessage, Answering?) -> Bool
  package typealias Answering = @Sendable (Result<AgentReply, MissingReason>) async -> AnswerFate

  /// What became of an answer.
  package enum AnswerFate: Sendable {
    case inTime
    /// Too late for the request, and of use all the same.
    case joined
    /// Nobody waited for it any more.
    case discarded
  }

  private struct Delivery: Sendable {
    let message: AgentMessage
    let answer: Answering?
  }

  private struct Session {
    let number: Int
    let deliver: @Sendable (Delivery) -> Bool
    let end: @Sendable () -> Void
  }

  private let clock: any Clock<Duration>
  private var sessions: [AgentID: Session] = [:]
  /// Requests that are not answered yet.
  private var gatherings: [Int: Gathering] = [:]
  private var requests = 0
  private var sessionCount = 0
  /// Whether its swarm is closed: there are no sessions any more.
  package private(set) var isClosed = false

  public init(clock: any Clock<Duration> = .continuous) {
    self.clock = clock
  }

  /// Opens the agent's session. Registering again replaces the handler; what the old one had not taken is dropped, and
  /// requests that it had not answered count it as missing.
  public func register(_ agent: AgentID, handler: @escaping Handler) async {
    let (inbox, inlet) = AsyncStream.makeStream(
      of: Delivery.self, bufferingPolicy: .bufferingOldest(SwarmCoordinator.sessionLimit))
    let worker = Task {
      for await delivery in inbox {
        let answer: Result<AgentReply, MissingReason>
        do {
          answer = try await handler(delivery.message).map { .success($0) } ?? .failure(.declined("it gave no answer"))
        } catch {
          answer = .failure(.declined("its handler failed: \(error)"))
        }
        _ = await delivery.answer?(answer)
      }
    }
    await open(agent) { delivery in
      if case .enqueued = inlet.yield(delivery) { true } else { false }
    } end: {
      inlet.finish()
      worker.cancel()
    }
  }

  /// Opens a session whose answers come from elsewhere, in any order.
  ///
  /// `end`: called when another session of the agent takes its place, or it is closed.
  /// - Returns: the number by which ``unregister(_:session:)`` knows it.
  @discardableResult
  package func register(
    _ agent: AgentID, receiver: @escaping Receiver, end: @escaping @Sendable () -> Void
  ) async -> Int {
    await open(agent, deliver: { receiver($0.message, $0.answer) }, end: end)
  }

  @discardableResult
  private func open(
    _ agent: AgentID, deliver: @escaping @Sendable (Delivery) -> Bool, end: @escaping @Sendable () -> Void
  ) async -> Int {
    let unanswered = gatherings.sorted { $0.key < $1.key }.map(\.value)
    let isReplaced = endSession(of: agent)
    sessionCount += 1
    let number = sessionCount
    guard !isClosed else {
      end()
      return number
    }
    sessions[agent] = Session(number: number, deliver: deliver, end: end)
    if isReplaced { await giveUp(agent, in: unanswered) }
    return number
  }

  /// Closes the agent's session. Its handler is cancelled if it is running; requests that it had not answered do not
  /// wait for it any longer.
  public func unregister(_ agent: AgentID) async {
    let unanswered = gatherings.sorted { $0.key < $1.key }.map(\.value)
    if endSession(of: agent) { await giveUp(agent, in: unanswered) }
  }

  /// Closes the agent's session if it is still this one.
  package func unregister(_ agent: AgentID, session: Int) async {
    if sessions[agent]?.number == session { await unregister(agent) }
  }

  /// Ends every session, for good.
  func close() async {
    isClosed = true
    for agent in agents() { await unregister(agent) }
  }

  private func endSession(of agent: AgentID) -> Bool {
    guard let session = sessions.removeValue(forKey: agent) else { return false }
    session.end()
    return true
  }

  private func giveUp(_ agent: AgentID, in unanswered: [Gathering]) async {
    for gathering in unanswered { _ = await gathering.take(.failure(.declined("its session ended")), from: agent) }
  }

  public func agents() -> [AgentID] {
    sessions.keys.sorted()
  }

  public func send(_ message: AgentMessage, to agent: AgentID) throws(CoordinatorError) {
    try deliver(Delivery(message: message, answer: nil), to: agent)
  }

  public func broadcast(_ message: AgentMessage, excluding excluded: Set<AgentID> = []) -> [AgentID: CoordinatorError] {
    var failures: [AgentID: CoordinatorError] = [:]
    // In the order of names: what depends on the order of a hash table cannot be replayed.
    for agent in agents() where !excluded.contains(agent) {
      do { try send(message, to: agent) } catch { failures[agent] = error }
    }
    return failures
  }

  public func request(
    _ message: AgentMessage, to agents: [AgentID], timeout: Duration,
    late: @escaping @Sendable (AgentID, AgentReply) async -> Bool = { _, _ in false }
  ) async -> GatheredAnswers {
    let gathering = Gathering(waitingFor: Set(agents), late: late)
    requests += 1
    let number = requests
    gatherings[number] = gathering
    for agent in Set(agents).sorted() {
      let delivery = Delivery(message: message) { await gathering.take($0, from: agent) }
      do {
        try deliver(delivery, to: agent)
      } catch {
        _ = await gathering.take(.failure(.unreachable(error)), from: agent)
      }
    }
    let clock = clock
    let timer = Task {
      do {
        try await clock.sleep(for: timeout)
        await gathering.close()
        try await clock.sleep(for: SwarmCoordinator.lateWindow)
        await gathering.refuseLateAnswers()
      } catch {
        // Cancelled: everybody answered.
      }
    }
    let answers = await gathering.result()
    gatherings[number] = nil
    if answers.missing.values.allSatisfy({ $0 != .deadline }) { timer.cancel() }
    return answers
  }

  private func deliver(_ delivery: Delivery, to agent: AgentID) throws(CoordinatorError) {
    guard let session = sessions[agent] else { throw .unknownAgent(agent) }
    guard session.deliver(delivery) else { throw .sessionFull(agent, limit: SwarmCoordinator.sessionLimit) }
  }
}

/// The answers to one request, while it lives.
private actor Gathering {
  private var waiting: Set<AgentID>
  private var answers: [(agent: AgentID, reply: AgentReply)] = []
  private var missing: [AgentID: MissingReason] = [:]
  private var isClosed = false
  /// Takes late answers; nil when it is too late for those.
  private var late: (@Sendable (AgentID, AgentReply) async -> Bool)?
  private var reader: CheckedContinuation<Void, Never>?

  init(waitingFor agents: Set<AgentID>, late: @escaping @Sendable (AgentID, AgentReply) async -> Bool) {
    waiting = agents
    self.late = late
    isClosed = agents.isEmpty
  }

  func take(
    _ answer: Result<AgentReply, MissingReason>, from agent: AgentID
  ) async -> SwarmCoordinator.AnswerFate {
    guard waiting.remove(agent) != nil else { return .discarded }
    if isClosed {
      guard case .success(let reply) = answer, let late else { return .discarded }
      return await late(agent, reply) ? .joined : .discarded
    }
    switch answer {
    case .success(let reply): answers.append((agent, reply))
    case .failure(let reason): missing[agent] = reason
    }
    if waiting.isEmpty { close() }
    return .inTime
  }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    for agent in waiting { missing[agent] = .deadline }
    reader?.resume()
    reader = nil
  }

  func refuseLateAnswers() {
    late = nil
  }

  func result() async -> GatheredAnswers {
    if !isClosed { await withCheckedContinuation { reader = $0 } }
    return GatheredAnswers(answers: answers, missing: missing)
  }
}
