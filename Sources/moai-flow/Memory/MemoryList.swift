import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct MemoryList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List a namespace's entries in the order of their keys' bytes.",
    discussion: """
      In a pipe: key, revision, agent, time and value, separated by tabs.

      Example:
        moai-flow memory list research
        moai-flow memory list research 'source/*' --limit 1000 --json
      """)

  @Argument(help: "The namespace.")
  var namespace: String

  @Argument(help: "Only keys that match; * is any run, / included.")
  var pattern = "*"

  @Option(help: "Entries at most; more than 1000 counts as 1000.")
  var limit = 100

  @Option(help: "Only keys after this one.")
  var after: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let page = try await target.readingSwarm { swarm in
      try await swarm.memory.list(namespace, matching: pattern, after: after, limit: limit)
    }
    if output.json { return try output.write(page.json) }
    var table = TextTable("KEY", "REV", "AGENT", "TIME", "VALUE")
    for entry in page.entries {
      table.add([
        entry.name.key.string, entry.record.map { "\($0.revision)" } ?? "-", entry.agent.description,
        entry.record?.timestamp.rfc3339 ?? "-", JSONWriter.text(entry.value, style: .spaced),
      ])
    }
    try table.write()
    if let next = page.next { Terminal.note("more entries follow; go on with --after \(next.string)") }
  }
}
