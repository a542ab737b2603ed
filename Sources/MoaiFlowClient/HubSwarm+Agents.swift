import MoaiCRDT
public import MoaiFlow

extension HubSwarm {
  func perform(_ command: AgentCommand, _ id: CommandID) async throws(SwarmError) -> Outcome {
    let agent = command.agent.description
    switch command {
    case .register(_, let change):
      return try await outcome(of: call(.put, "agents", agent, body: change.json), id) {
        Outcome(revision: 0, agent: .registered(incarnation: try $0.integer("incarnation"), isNew: false))
      }
    case .unregister:
      return try await outcome(of: call(.delete, "agents", agent), id) { _ in
        Outcome(revision: 0, agent: .unregistered)
      }
    case .fail, .recover: throw .denied("health is declared by the hub, from silence and signs of life")
    }
  }

  public func heartbeat(_ heartbeat: Heartbeat, of agent: AgentID) async throws(SwarmError) -> AgentStatus {
    let answer = try await transport.write(
      call(.post, "agents", agent.description, "heartbeat", body: heartbeat.fields.json), id: transport.newID())
    return try answer.reading { try AgentStatus(answer: $0) }
  }
}
