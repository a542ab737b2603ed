import MoaiCRDT
import MoaiFlow
import Synchronization

/// Who was asked by a full sync through this hub, and what was told those who have answered.
///
/// A request lives as long as an answer to it may be of use: its timeout, and the window for late ones after it.
final class OpenRequests: Sendable {
  private struct Name: Hashable {
    let swarm: SwarmName
    let request: CommandID
    let agent: AgentID
  }

  private struct Open {
    let answer: SwarmCoordinator.Answering
    /// Milliseconds since 1970.
    let expires: Int64
    /// The first answer, which is the one that counts.
    var given: Given?
  }

  private struct Given {
    /// Under which it came.
    let id: CommandID?
    let fate: Task<SwarmCoordinator.AnswerFate, Never>
  }

  /// Requests that wait at most; beyond that those that were answered are forgotten first. Raising it costs memory only.
  private static let limit = 65_536

  private let open = Mutex<[Name: Open]>([:])

  init() {}

  /// - Returns: whether there is room.
  func add(
    _ request: CommandID, to agent: AgentID, in swarm: SwarmName, until expires: Int64, now: Int64,
    _ answer: @escaping SwarmCoordinator.Answering
  ) -> Bool {
    open.withLock { open in
      if open.count >= OpenRequests.limit { open = open.filter { $0.value.expires > now && $0.value.given == nil } }
      guard open.count < OpenRequests.limit else { return false }
      open[Name(swarm: swarm, request: request, agent: agent)] = Open(answer: answer, expires: expires)
      return true
    }
  }

  /// Takes an agent's answer, once; what is repeated under its id is told the same.
  ///
  /// - Returns: nil: nobody asked this agent, or it has answered, or that is long ago.
  func take(
    _ response: SyncResponse, under id: CommandID?, to request: CommandID, of agent: AgentID, in swarm: SwarmName,
    now: Int64
  ) async -> SwarmCoordinator.AnswerFate? {
    let name = Name(swarm: swarm, request: request, agent: agent)
    let fate: Task<SwarmCoordinator.AnswerFate, Never>? = open.withLock { open in
      guard let found = open[name], found.expires > now else { return nil }
      if let given = found.given { return given.id == id && id != nil ? given.fate : nil }
      let fate = Task { await found.answer(.success(.state(response))) }
      open[name]?.given = Given(id: id, fate: fate)
      return fate
    }
    return await fate?.value
  }
}
