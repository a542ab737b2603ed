import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct ReplicasList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the offline replicas that a swarm knows, those that were closed too.",
    discussion: """
      In a pipe: id, agent, open or closed, number of the last write, when it was last heard of, refused deltas; separated \
      by tabs.

      Example:
        moai-flow replicas list
        moai-flow replicas list --json
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let replicas = try await target.readingSwarm { try await $0.replicas() }
    if output.json {
      return try output.write(["replicas": .array(replicas.map(\.json)), "next": .null])
    }
    var table = TextTable("REPLICA", "AGENT", "STATE", "WRITES", "LAST HEARD OF", "REFUSED")
    for replica in replicas {
      table.add([
        replica.replica.description, replica.owner.description, replica.isClosed ? "closed" : "open",
        "\(replica.accepted)", Timestamp(milliseconds: replica.lastSeen).rfc3339, "\(replica.kept.count)",
      ])
    }
    if !replicas.isEmpty { try table.write() }
  }
}
