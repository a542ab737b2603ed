import ArgumentParser
import MoaiFlow

/// `moai-flow memory`: named values in namespaces.
struct Memory: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Store and retrieve named values in namespaces.",
    discussion: """
      An entry is the register under the state key memory/NAMESPACE/KEY, so the state commands work on it too. A \
      namespace holds no /, a key may. Entries that live only in a process are for the library and the hub.

      Example:
        moai-flow memory store research question '"why is it slow?"' --agent alice
        moai-flow memory retrieve research question
        moai-flow memory list research 'source/*'
      """,
    subcommands: [
      MemoryStore.self, MemoryRetrieve.self, MemoryDelete.self, MemoryList.self, MemoryClear.self,
      MemoryStatisticsCommand.self,
    ])
}

/// Where a memory entry stands.
struct MemoryNameArguments: ParsableArguments {
  @Argument(help: "The namespace, without /.")
  var namespace: String

  @Argument(help: "The key within it.")
  var key: String
}

extension TargetOptions {
  /// Opens the swarm for a member who writes to the memory.
  func writingMemory<Result>(_ body: (MemoryProvider) async throws -> Result) async throws -> Result {
    let agent = try requiredAgentName()
    return try await writingSwarm { swarm in
      try await body(MemoryProvider(connection: swarm, volatile: swarm.memory.volatile, agent: agent))
    }
  }
}
