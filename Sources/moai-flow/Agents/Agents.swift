import ArgumentParser
import MoaiCRDT
import MoaiFlow

/// `moai-flow agents`: who takes part in a swarm, and how they are.
struct Agents: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List a swarm's agents and their health, register them, and let them go.",
    discussion: """
      An agent that registers is watched: silent for one, two and three of its intervals it is degraded, critical and \
      failed. Whatever it asks a hub for is a sign of life. Writing needs no registration.

      Example:
        moai-flow agents register worker-1 --capability swift --interval 5s
        moai-flow agents list --watch
        moai-flow agents remove worker-1
      """,
    subcommands: [AgentsList.self, AgentsRegister.self, AgentsRemove.self])
}

/// An agent as it is named on the command line.
struct AgentArgument: ParsableArguments {
  @Argument(help: "The agent's name.")
  var agent: String

  func name() throws(Failure) -> AgentID {
    do { return try AgentID(agent) } catch { throw Failure(.usage, error.description) }
  }
}
