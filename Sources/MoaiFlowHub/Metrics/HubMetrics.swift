import MoaiFlow

extension HubContext {
  /// What `/metrics` shows: what was counted since the start, and how things stand.
  func metrics(for caller: Caller) async throws -> String {
    var text = PrometheusText()
    configuration.metrics?.write(to: &text)
    text.add(Series("moai_flow_ready", []), .gauge, isReady ? 1 : 0)
    text.add(Series("moai_flow_streams", []), .gauge, Double(streams.count))
    var statuses: [SwarmStatus] = []
    for swarm in await swarms.running where caller.sees(swarm.name) {
      if let status = try? await swarm.status() { statuses.append(status) }
    }
    for (name, value) in HubContext.swarmGauges {
      for status in statuses { text.add(Series(name, [("swarm", "\(status.name)")]), .gauge, Double(value(status))) }
    }
    return text.text
  }

  private static let swarmGauges: [(String, @Sendable (SwarmStatus) -> Int64)] = [
    ("moai_flow_swarm_revision", { $0.revision }),
    ("moai_flow_swarm_horizon", { $0.horizon }),
    ("moai_flow_swarm_checkpoint", { $0.checkpoint }),
    ("moai_flow_swarm_keys", { Int64($0.keys) }),
  ]
}
