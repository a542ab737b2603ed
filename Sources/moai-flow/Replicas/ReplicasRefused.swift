import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct ReplicasRefused: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refused",
    abstract: "Print what was written offline and refused by a rule, and why.",
    discussion: """
      Nothing of it is in the state. Whoever wrote it writes it in another way, or gives it up, and resolves it. In a pipe: \
      replica, number, agent, what, why; separated by tabs.

      Example:
        moai-flow replicas refused
        moai-flow replicas refused --json
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let replicas = try await target.readingSwarm { try await $0.replicas() }
    let refused = replicas.flatMap { replica in replica.kept.map { (owner: replica.owner, kept: $0) } }
    if output.json {
      return try output.write(["refused": .array(refused.map(\.kept.json)), "next": .null])
    }
    var table = TextTable("REPLICA", "N", "AGENT", "WHAT", "WHY")
    for (owner, kept) in refused {
      table.add([
        kept.delta.replica.description, "\(kept.delta.first)", owner.description,
        kept.delta.writes.map(\.summary).joined(separator: "; "), kept.refusal.description,
      ])
    }
    if !refused.isEmpty { try table.write() }
  }
}
