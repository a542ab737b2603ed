import ArgumentParser
import Foundation
import MoaiCRDT
import MoaiFlow

struct AgentsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List who is registered, and how they are.",
    discussion: """
      Health is what the hub has heard. A data folder without a hub has nobody who listens: only who was declared failed is \
      told.

      In a pipe: agent, health, seconds since the last sign, what it can do, what it does; separated by tabs. With --watch \
      a pipe gets an agent's line when it has changed.

      Example:
        moai-flow agents list --hub http://127.0.0.1:8420
        moai-flow agents list --watch
      """)

  /// How often the hub is asked.
  private static let interval = Duration.seconds(1)

  @Flag(help: "Go on showing it until interrupted.")
  var watch = false

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    guard watch else { return try show(try await target.readingSwarm { try await all(of: $0) }) }
    let command = self
    try await untilInterrupted { try await command.follow() }
  }

  private func all(of swarm: any SwarmTarget) async throws -> [AgentStatus] {
    let monitor = swarm.agents
    var agents: [AgentStatus] = []
    var after: AgentID?
    repeat {
      let page = try await monitor.list(after: after, limit: 1_000)
      agents += page.agents
      after = page.next
    } while after != nil
    return agents
  }

  private func show(_ agents: [AgentStatus]) throws {
    if output.json {
      return try output.write(["agents": .array(agents.map(\.json)), "next": .null])
    }
    if !agents.isEmpty { try table(agents).write() }
  }

  private func follow() async throws {
    try await target.readingSwarm { swarm in
      var screen = LiveTable()
      var shown: [AgentID: StateValue] = [:]
      while true {
        let agents = try await all(of: swarm)
        if output.json {
          for agent in agents where shown[agent.agent] != agent.condition {
            shown[agent.agent] = agent.condition
            try output.write(agent.json)
          }
        } else {
          try screen.show(table(agents))
        }
        try await Task.sleep(for: AgentsList.interval)
        try await swarm.refresh()
      }
    }
  }

  private func table(_ agents: [AgentStatus]) -> TextTable {
    var table = TextTable("AGENT", "HEALTH", "SILENT", "CAN", "DOES")
    for agent in agents {
      let silence = agent.lastSeen.map { max(0, Int64(Date.now.timeIntervalSince1970 * 1_000) - $0) / 1_000 }
      table.add([
        agent.agent.description, agent.standing.isStuck ? "stuck" : agent.standing.health.rawValue,
        silence.map { Terminal.isInteractive ? "\($0) s" : "\($0)" } ?? "-",
        agent.profile.capabilities.map(\.string).joined(separator: ","),
        agent.standing.heartbeat.status.map { $0.stringValue ?? JSONWriter.text($0) } ?? "",
      ])
    }
    return table
  }
}

extension AgentStatus {
  /// What makes a new line worth reading: all but how long it is silent.
  fileprivate var condition: StateValue {
    [
      "incarnation": .int(incarnation), "health": StateValue(standing.health.rawValue),
      "stuck": .bool(standing.isStuck), "status": standing.heartbeat.status ?? .null,
      "progress": standing.heartbeat.progress ?? .null,
    ]
  }
}
