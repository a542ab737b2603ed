import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct ReplicasClose: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close",
    abstract: "Close an offline replica: its device is lost, or will not come back.",
    discussion: """
      What it had reserved of bounded counters is free again. If it does come back, its unsent writes are not lost: it goes \
      on under a new id. Without --agent the operator does it.

      Example:
        moai-flow replicas close 5f1c9a0042d7be11
      """)

  @OptionGroup var argument: ReplicaArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let replica = try argument.id()
    let author = try target.agentName() ?? .operator
    try await target.writingSwarm { swarm in
      guard try await swarm.replicas().contains(where: { $0.replica == replica }) else {
        throw Failure(.no, "replica \(replica) is unknown; 'moai-flow replicas list' shows those there are")
      }
      try await swarm.closeReplica(replica, as: author)
    }
    if output.json { return try output.write(["closed": .bool(true)]) }
    try Terminal.write("replica \(replica) is closed")
  }
}
