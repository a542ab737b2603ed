import MoaiCRDT
import MoaiFlow
import NIOCore
import Synchronization

/// The news about agents as events, each encoded once for all sessions: they are told one after the other.
final class AgentNewsEvents: Sendable {
  private let newest = Mutex<(news: AgentNews, event: ByteBuffer)?>(nil)

  init() {}

  /// `agent {agent_id, incarnation, change}` with an id, or `health {agents: [{agent_id, incarnation, health, stuck,
  /// silence_ms}]}` without.
  func event(of news: AgentNews) -> ByteBuffer {
    newest.withLock { newest in
      if let newest, newest.news == news { return newest.event }
      let event =
        switch news {
        case .event(let event, let cursor): ServerSentEvent.buffer("agent", id: cursor, event.json)
        case .health(let reports):
          ServerSentEvent.buffer("health", id: nil, ["agents": .array(reports.map(\.json))])
        }
      newest = (news, event)
      return event
    }
  }
}
