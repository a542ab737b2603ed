/// Who can be reached right now, and how to speak to them: send, broadcast, and request with gathered answers.
///
/// What is said here is not durable; what must survive goes through the journal.
public protocol Coordinator: Sendable {
  /// The agents with an open session, in the order of their names.
  func agents() async -> [AgentID]

  /// Hands a message to an agent's session and returns when it is queued there.
  func send(_ message: AgentMessage, to agent: AgentID) async throws(CoordinatorError)

  /// Sends to every agent but `excluded`; returns who could not be reached and why.
  func broadcast(_ message: AgentMessage, excluding excluded: Set<AgentID>) async -> [AgentID: CoordinatorError]

  /// Asks agents and waits until the last one answered or `timeout` has passed, whichever is first.
  ///
  /// `late`: called for each answer that comes after that, at most ``SwarmCoordinator/lateWindow`` later; says whether it
  /// was of any use.
  func request(
    _ message: AgentMessage, to agents: [AgentID], timeout: Duration,
    late: @escaping @Sendable (AgentID, AgentReply) async -> Bool
  ) async -> GatheredAnswers
}

/// What an agent's session is told.
@nonexhaustive
public enum AgentMessage: Sendable, Hashable {
  /// Full sync asks for what the agent has of a key; answered with ``AgentReply/state(_:)``.
  case stateRequest(SyncRequest)
  /// The value of a key after a full sync; nil: the key is absent.
  case stateUpdate(StateKey, StateReading?)
  /// Whatever agents tell each other.
  case data(StateValue, from: AgentID)
  /// What was done to an agent; in sessions with a hub only, as ``health(_:)``.
  case agent(AgentEvent)
  /// What has become of the health of some.
  case health([HealthReport])
}

/// What an agent answers.
@nonexhaustive
public enum AgentReply: Sendable, Hashable {
  case state(SyncResponse)
  case data(StateValue)
}

/// The answers to one request, in the order in which they came, and why the others are missing.
public struct GatheredAnswers: Sendable {
  public let answers: [(agent: AgentID, reply: AgentReply)]
  public let missing: [AgentID: MissingReason]

  package init(answers: [(agent: AgentID, reply: AgentReply)], missing: [AgentID: MissingReason]) {
    self.answers = answers
    self.missing = missing
  }
}

/// Why an agent that was asked is not among those who answered.
@nonexhaustive
public enum MissingReason: Error, Sendable, Hashable {
  /// No answer by the deadline.
  case deadline
  /// It could not be asked.
  case unreachable(CoordinatorError)
  /// It answered that it has nothing to say, its handler failed, or its session ended; the text says which.
  case declined(String)
}

@nonexhaustive
public enum CoordinatorError: Error, Sendable, Hashable {
  case unknownAgent(AgentID)
  /// The agent has `limit` messages that it did not take yet.
  case sessionFull(AgentID, limit: Int)
}

extension MissingReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .deadline: "no answer by the deadline"
    case .unreachable(let error): "\(error)"
    case .declined(let why): why
    }
  }
}

extension CoordinatorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownAgent(let agent): "agent \(agent) is not registered"
    case .sessionFull(let agent, let limit): "agent \(agent) has \(limit) messages waiting"
    }
  }
}
