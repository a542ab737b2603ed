import HTTPTypes
import Hummingbird
import MoaiCRDT
import MoaiFlow
import NIOCore
import ServiceLifecycle

/// An agent's session: what the swarm asks it and tells it, as events. The newest session of an agent is the one.
struct AgentStream: Sendable {
  /// Events that wait for one agent at most; a slower one is told `overflow`.
  private static let capacity = 1_024

  private let swarm: Swarm
  private let agent: AgentID
  /// Where the session before it was.
  private let since: Cursor?
  private let mailbox = Mailbox<ByteBuffer>(capacity: AgentStream.capacity)
  private let hub: HubContext
  private let caller: Caller

  static func open(for request: HubRequest, _ hub: HubContext) async throws -> HubResponse {
    let agent = try request.name("agent") { text throws(NameError) in try AgentID(text) }
    _ = try request.caller.author(named: agent)
    guard request.wantsEventStream else {
      throw Problem(.notAcceptable, "not_acceptable", "a session is a stream; send Accept: text/event-stream")
    }
    let since: Cursor?
    if let last = request.headers[.lastEventID] {
      guard let cursor = Cursor(last) else { throw Problem.invalid("/Last-Event-ID", "must be an id of this stream") }
      since = cursor
    } else {
      since = nil
    }
    let stream = AgentStream(
      swarm: try await hub.swarm(of: request), agent: agent, since: since, hub: hub, caller: request.caller)
    return HubResponse(body: .stream(ResponseBody { writer in try await stream.write(to: &writer) }))
  }

  private init(swarm: Swarm, agent: AgentID, since: Cursor?, hub: HubContext, caller: Caller) {
    self.swarm = swarm
    self.agent = agent
    self.since = since
    self.hub = hub
    self.caller = caller
  }

  private func write(to writer: inout any ResponseBodyWriter) async throws {
    guard let number = hub.streams.add(mailbox, of: caller) else {
      try await writer.write(contentsOf: [
        ServerSentEvent.preamble, ServerSentEvent.end(hub.streams.isEnding ? .shutdown : .overflow),
      ])
      return try await writer.finish(nil)
    }
    let session = await swarm.coordinator.register(
      agent, receiver: { message, answer in receive(message, answer) }, end: { [mailbox] in mailbox.end(nil) })
    let end: Result<StreamEnd, any Error>
    do {
      try await writer.write(ServerSentEvent.preamble)
      try await watchAgents(&writer)
      end = .success(
        try await withGracefulShutdownHandler {
          try await follow(number, &writer)
        } onGracefulShutdown: { [streams = hub.streams, mailbox] in
          streams.beginEnding()
          mailbox.end(nil)
        })
    } catch {
      end = .failure(error)
    }
    hub.streams.remove(number)
    mailbox.end(nil)
    await swarm.coordinator.unregister(agent, session: session)
    try await writer.write(ServerSentEvent.end(try end.get()))
    try await writer.finish(nil)
  }

  /// Tells what was done to agents since the last session, and has the rest told as it comes.
  private func watchAgents(_ writer: inout any ResponseBodyWriter) async throws {
    await swarm.hear(agent)
    let watcher = AgentWatcher { [mailbox, news = hub.news] in mailbox.put(news.event(of: $0)) }
    for (event, cursor) in await swarm.watchAgents(watcher, since: since) ?? [] {
      try await writer.write(hub.news.event(of: .event(event, cursor)))
    }
  }

  private func follow(_ number: Int, _ writer: inout any ResponseBodyWriter) async throws -> StreamEnd {
    while true {
      switch await mailbox.take() {
      case .elements(let events): try await writer.write(contentsOf: events)
      case .poked: try await writer.write(ServerSentEvent.comment)
      case .overflowed: return .overflow
      case .ended:
        // Of a swarm that goes on, the agent's newer session took the place of this one.
        let other = await swarm.coordinator.isClosed ? hub.swarms.end(of: swarm.name) : .revoked
        return hub.streams.end(of: number, orElse: other)
      }
    }
  }

  /// Takes what the swarm says; false: the agent is too slow.
  private func receive(_ message: AgentMessage, _ answer: SwarmCoordinator.Answering?) -> Bool {
    switch message {
    case .stateRequest(let request):
      let now = hub.now()
      let deadline = now + request.timeout.milliseconds
      let expires = deadline + SwarmCoordinator.lateWindow.milliseconds
      guard let answer, hub.requests.add(request.id, to: agent, in: swarm.name, until: expires, now: now, answer)
      else { return false }
      return mailbox.put(
        ServerSentEvent.buffer(
          "state_request", id: nil,
          [
            "request_id": StateValue(request.id.description), "state_key": .string(request.key.name),
            "deadline": StateValue(Timestamp(milliseconds: deadline).rfc3339),
          ]))
    case .stateUpdate(let key, let reading):
      let content = reading?.json ?? ["state_key": .string(key.name), "deleted": true]
      return mailbox.put(ServerSentEvent.buffer("state_update", id: reading?.cursor, content))
    default: return true
    }
  }
}

extension Duration {
  var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
