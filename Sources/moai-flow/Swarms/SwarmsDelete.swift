import ArgumentParser
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

struct SwarmsDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a swarm with all its history.",
    discussion: """
      Asks first on a terminal; elsewhere it needs --yes. What is deleted cannot be brought back, except by importing \
      an export.

      Example:
        moai-flow export research.jsonl --swarm research
        moai-flow swarms delete research --yes
      """)

  @OptionGroup var swarm: SwarmArgument

  @OptionGroup var confirmation: Confirmation
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try swarm.swarmName()
    let place = try await target.place()
    if case .folder(let folder) = place { try folder.requireExistence() }
    guard
      try confirmation.isGiven(for: "Delete \(name) with all its history?", doing: "deleting \(name)")
    else { throw Failure(.no, "\(name) was not deleted") }
    switch place {
    case .hub(let hub): try await hub.deleteSwarm(name)
    case .folder(let folder): try await folder.writing { try await $0.delete(name) }
    }
    Terminal.note("\(name) is deleted")
  }
}
