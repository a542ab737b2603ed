import ArgumentParser
import MoaiCRDT
import MoaiFlow

/// `moai-flow replicas`: what a swarm knows of the offline replicas of its agents.
struct Replicas: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List a swarm's offline replicas, what was refused of them, and close them.",
    discussion: """
      An offline replica is an agent's own copy of a swarm; the library makes and exchanges them. What a rule refused of \
      its writes is kept until somebody resolves it.

      Example:
        moai-flow replicas list
        moai-flow replicas refused
        moai-flow replicas resolve 5f1c9a0042d7be11 7
      """,
    subcommands: [ReplicasList.self, ReplicasRefused.self, ReplicasResolve.self, ReplicasClose.self])
}

/// A replica as it is named on the command line.
struct ReplicaArgument: ParsableArguments {
  @Argument(help: "The replica's id: sixteen hexadecimal digits.")
  var replica: String

  func id() throws(Failure) -> ReplicaID {
    guard replica.utf8.count == 16, let number = UInt64(replica, radix: 16) else {
      throw Failure(.usage, "\(replica) is no replica; an id has sixteen hexadecimal digits")
    }
    return ReplicaID(number)
  }
}
