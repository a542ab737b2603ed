import ArgumentParser
import MoaiFlow

struct StateList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List keys in the order of their bytes.",
    discussion: """
      In a pipe: key, type, revision, agent, time and, with --values, the value, separated by tabs.

      Example:
        moai-flow state list config/ --values
        moai-flow state list --limit 1000 --after config/zz --json
      """)

  @Argument(help: "Only keys that begin with this.")
  var prefix = ""

  @Flag(help: "Print the values too.")
  var values = false

  @Option(help: "Keys at most; more than 1000 counts as 1000.")
  var limit = 100

  @Option(help: "Only keys after this one.")
  var after: String?

  @OptionGroup var freshness: FreshnessOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let page = try await target.readingSwarm { swarm in
      try await freshness.reading(swarm) {
        try await $0.keys(prefix: prefix, after: after, limit: limit, includingValues: values)
      }
    }
    if output.json { return try output.write(page.json) }
    var table =
      values
      ? TextTable("KEY", "TYPE", "REV", "AGENT", "TIME", "VALUE") : TextTable("KEY", "TYPE", "REV", "AGENT", "TIME")
    for key in page.keys {
      let row = [
        key.key.description, key.type.rawValue, "\(key.revision)", key.agent.description, key.timestamp.rfc3339,
      ]
      table.add(row + (key.value.map { [JSONWriter.text($0, style: .spaced)] } ?? []))
    }
    try table.write()
    if let next = page.next { Terminal.note("more keys follow; go on with --after \(next)") }
  }
}
