import MoaiCRDT
import MoaiFlow

/// An agent's session with a hub: what it is asked comes as events, what it answers goes by POST.
struct AgentSession: Sendable {
  let agent: AgentID
  let swarm: HubSwarm
  let handler: SwarmCoordinator.Handler

  func run() async throws(SwarmError) {
    var source = EventSource(
      transport: swarm.transport, call: swarm.call(.get, "agents", agent.description, "events"))
    _ = try await source.run { event in
      switch event.name {
      case "state_request": await answer(event)
      case "state_update": await tell(event)
      case "agent": await pass(event) { fields throws(WireError) in .agent(try AgentEvent(answer: fields)) }
      case "health":
        await pass(event) { fields throws(WireError) in
          .health(try fields.list("agents") { fields throws(WireError) in try HealthReport(answer: fields) })
        }
      default: break
      }
      return true
    }
  }

  private func answer(_ event: EventParser.Event) async {
    guard let json = try? JSONParser().parse(event.data), let asked = try? WireObject(answer: json),
      let id = asked.optional("request_id")?.stringValue, let key = try? asked.key(),
      let request = CommandID(hexadecimal: id)
    else { return }
    // The hub keeps the time; a late answer joins as an ordinary write.
    let message = AgentMessage.stateRequest(SyncRequest(id: request, key: key, timeout: SwarmCoordinator.lateWindow))
    guard case .state(let response)? = try? await handler(message) else { return }
    var body = response.fields
    body.add("agent_id", .string(agent.name))
    _ = try? await swarm.transport.write(
      swarm.call(.post, "sync", id, "responses", body: body.json), id: request)
  }

  private func pass(
    _ event: EventParser.Event, _ read: (WireObject) throws(WireError) -> AgentMessage
  ) async {
    guard let json = try? JSONParser().parse(event.data), let fields = try? WireObject(answer: json),
      let message = try? read(fields)
    else { return }
    _ = try? await handler(message)
  }

  private func tell(_ event: EventParser.Event) async {
    guard let json = try? JSONParser().parse(event.data), let fields = try? WireObject(answer: json),
      let key = try? fields.key()
    else { return }
    _ = try? await handler(.stateUpdate(key, try? StateReading(answer: fields)))
  }
}

extension SyncResponse {
  /// `{base?, ops}`, `{base?, value}`, or neither.
  fileprivate var fields: WireFields {
    var fields = WireFields()
    fields.add("base", base?.json)
    switch content {
    case .operations(let operations): fields.add("ops", .array(operations.map(\.json)))
    case .value(let value): fields.add("value", value)
    case .nothing: break
    }
    return fields
  }
}
