import ArgumentParser
import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// Which swarm a command is about, and who asks: from options, else from the environment.
struct TargetOptions: ParsableArguments {
  @Option(help: "The data folder (or MOAI_FLOW_DATA); a hub that serves it is used.", completion: .directory)
  var data: String?

  @Option(help: "The swarm in it (or MOAI_FLOW_SWARM; default: default).")
  var swarm: String?

  @Option(help: "Who writes (or MOAI_FLOW_AGENT).")
  var agent: String?

  @Option(help: "A hub's URL, in place of a data folder (or MOAI_FLOW_HUB).")
  var hub: String?

  @Option(help: "The token for a hub (or MOAI_FLOW_TOKEN).")
  var token: String?

  /// The option, else the variable of the environment; an empty variable counts as absent.
  static func value(_ option: String?, or variable: String) -> String? {
    if let option { return option }
    let value = ProcessInfo.processInfo.environment[variable] ?? ""
    return value.isEmpty ? nil : value
  }

  /// The data folder, which need not exist, for a command that works on nothing else.
  func folder() throws(Failure) -> String {
    if hub != nil { throw Failure(.usage, "--hub: this command works on a data folder; name one with --data DIR") }
    return try namedFolder()
  }

  func namedFolder() throws(Failure) -> String {
    guard let folder = TargetOptions.value(data, or: "MOAI_FLOW_DATA") else {
      throw Failure(
        .usage, "nothing is named to work on; give --data DIR or --hub URL, or set MOAI_FLOW_DATA or MOAI_FLOW_HUB")
    }
    guard !folder.isEmpty else { throw Failure(.usage, "--data is empty; name a folder") }
    return folder
  }

  /// The hub that is named; what the command line says wins over the environment.
  func hubURL() throws(Failure) -> String? {
    guard hub == nil || data == nil else { throw Failure(.usage, "--hub and --data name two places; give one of them") }
    return data == nil ? TargetOptions.value(hub, or: "MOAI_FLOW_HUB") : nil
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
