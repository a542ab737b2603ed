import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct ReplicasList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the offline replicas that a swarm knows, those that were closed too.",
    discussion: """
      A replica is announced when nothing has come from itself, and another one has met it: the agent is the one that said \
      so. If its device is lost, close it; otherwise it is closed when it has stayed away for limits.replica_idle_ms.

      In a pipe: id, agent, open, announced or closed, number of the last write, when it was last heard of, refused deltas; separated \
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
        replica.replica.description, replica.owner.description, replica.state,
        "\(replica.accepted)", Timestamp(milliseconds: replica.lastSeen).rfc3339, "\(replica.kept.count)",
      ])
    }
    if !replicas.isEmpty { try table.write() }
  }
}

extension ReplicaStatus {
  fileprivate var state: String { isClosed ? "closed" : isOnlyAnnounced ? "announced" : "open" }
}
