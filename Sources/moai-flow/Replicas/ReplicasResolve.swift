import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct ReplicasResolve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Take a refused delta off the list.",
    discussion: """
      Its writes stay out of the state, and in the journal as long as history is kept. Without --agent the operator does it.

      Example:
        moai-flow replicas resolve 5f1c9a0042d7be11 7
      """)

  @OptionGroup var argument: ReplicaArgument

  @Argument(help: "The number of the delta, as 'replicas refused' prints it.")
  var number: UInt64

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let replica = try argument.id()
    let author = try target.agentName() ?? .operator
    try await target.writingSwarm { try await $0.resolveDelta(number, of: replica, as: author) }
    if output.json { return try output.write(["resolved": .bool(true)]) }
    try Terminal.write("\(replica) #\(number) is resolved")
  }
}
