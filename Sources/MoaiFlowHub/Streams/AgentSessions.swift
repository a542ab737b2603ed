import MoaiCRDT
import MoaiFlow
import Synchronization

/// Who was asked by a full sync through this hub, and has not answered yet.
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
  }

  /// Requests that wait at most; beyond that the oldest are looked through first. Raising it costs memory only.
  private static let limit = 65_536

  private let open = Mutex<[Name: Open]>([:])

  init() {}

  /// - Returns: whether there is room.
  func add(
    _ request: CommandID, to agent: AgentID, in swarm: SwarmName, until expires: Int64, now: Int64,
    _ answer: @escaping SwarmCoordinator.Answering
  ) -> Bool {
    open.withLock { open in
      if open.count >= OpenRequests.limit { open = open.filter { $0.value.expires > now } }
      guard open.count < OpenRequests.limit else { return false }
      open[Name(swarm: swarm, request: request, agent: agent)] = Open(answer: answer, expires: expires)
      return true
    }
  }

  /// The way to answer, which is used once; nil: nobody asked this agent, or it has answered, or that is long ago.
  func take(_ request: CommandID, of agent: AgentID, in swarm: SwarmName, now: Int64) -> SwarmCoordinator.Answering? {
    open.withLock { open in
      guard let found = open.removeValue(forKey: Name(swarm: swarm, request: request, agent: agent)),
        found.expires > now
      else { return nil }
      return found.answer
    }
  }
}
