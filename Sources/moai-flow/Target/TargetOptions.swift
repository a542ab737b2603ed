import ArgumentParser
import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// Which swarm a command is about, and who asks: from options, else from the environment.
struct TargetOptions: ParsableArguments {
  @Option(help: "The data folder (or MOAI_FLOW_DATA).", completion: .directory)
  var data: String?

  @Option(help: "The swarm in it (or MOAI_FLOW_SWARM; default: default).")
  var swarm: String?

  @Option(help: "Who writes (or MOAI_FLOW_AGENT).")
  var agent: String?

  @Option(help: "A hub's URL (or MOAI_FLOW_HUB); not available yet.")
  var hub: String?

  @Option(help: "The token for a hub (or MOAI_FLOW_TOKEN); not available yet.")
  var token: String?

  /// The option, else the variable of the environment; an empty variable counts as absent.
  static func value(_ option: String?, or variable: String) -> String? {
    if let option { return option }
    let value = ProcessInfo.processInfo.environment[variable] ?? ""
    return value.isEmpty ? nil : value
  }

  /// The data folder, which need not exist.
  func folder() throws(Failure) -> String {
    for (option, variable, name) in [(hub, "MOAI_FLOW_HUB", "--hub"), (token, "MOAI_FLOW_TOKEN", "--token")]
    where TargetOptions.value(option, or: variable) != nil {
      throw Failure(.usage, "\(name): hubs are not available yet; use a data folder with --data DIR")
    }
    guard let folder = TargetOptions.value(data, or: "MOAI_FLOW_DATA") else {
      throw Failure(.usage, "no data folder is named; give --data DIR or set MOAI_FLOW_DATA")
    }
    guard !folder.isEmpty else { throw Failure(.usage, "--data is empty; name a folder") }
    return folder
  }

  func swarmName() throws(Failure) -> SwarmName {
    guard let name = TargetOptions.value(swarm, or: "MOAI_FLOW_SWARM") else { return .default }
    do { return try SwarmName(name) } catch { throw Failure(.usage, "--swarm: \(error.problem)") }
  }

  /// Nil if nobody is named.
  func agentName() throws(Failure) -> AgentID? {
    guard let name = TargetOptions.value(agent, or: "MOAI_FLOW_AGENT") else { return nil }
    do { return try AgentID(name) } catch { throw Failure(.usage, "--agent: \(error.problem)") }
  }

  func requiredAgentName() throws(Failure) -> AgentID {
    guard let name = try agentName() else {
      throw Failure(.usage, "a write needs an author; give --agent NAME or set MOAI_FLOW_AGENT")
    }
    return name
  }
}
