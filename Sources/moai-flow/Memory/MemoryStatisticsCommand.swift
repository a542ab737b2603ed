import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct MemoryStatisticsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Count each namespace's entries and their bytes.",
    discussion: """
      In a pipe: namespace, entries and bytes of their values, separated by tabs.

      Example:
        moai-flow memory stats
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let statistics = try await target.readingSwarm { try await $0.memory.statistics() }
    if output.json { return try output.write(statistics.json) }
    var table = TextTable("NAMESPACE", "ENTRIES", "BYTES")
    for namespace in statistics.namespaces {
      table.add([namespace.name.string, "\(namespace.persistentEntries)", "\(namespace.persistentBytes)"])
    }
    try table.write()
  }
}
