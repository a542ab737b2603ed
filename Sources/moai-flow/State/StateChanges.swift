import ArgumentParser
import MoaiFlow

struct StateChanges: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "changes",
    abstract: "Print what changed since a revision, each key once.",
    discussion: """
      Give the cursor of the last page as --since the next time; between pages the token of "next". A cursor from before \
      a restore is answered with a snapshot, which replaces everything that you have.

      Example:
        moai-flow state changes --since 17
        moai-flow state changes --since head --json
      """)

  @Option(help: "A revision, a cursor, a page's token, or head (default: the beginning).")
  var since: ChangesStartArgument?

  @Option(help: "Only keys that begin with this.")
  var prefix = ""

  @Option(help: "Keys in the page at most; more than 1000 counts as 1000.")
  var limit = 100

  @Option(help: "Bytes in the page, about; one key is always given.")
  var maxBytes = 1 << 20

  @Option(name: .customLong("as"), help: "delta: what turns your value into the value now. value: the value now.")
  var form = ChangeForm.delta

  @OptionGroup var freshness: FreshnessOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let query = ChangesQuery(
      since: since?.start ?? .beginning, filter: KeyFilter(prefix: prefix), limit: min(limit, 1_000),
      maxBytes: maxBytes, asValues: form == .value)
    let page = try await target.readingSwarm { swarm in
      try await freshness.reading(swarm) { try await $0.changes(query) }
    }
    if output.json { return try output.write(page.json(as: form)) }
    var table = TextTable("REV", "AGENT", "KEY", "CHANGE")
    for change in page.changes {
      table.add(["\(change.revision)", change.agent.description, change.key.description, change.content.summary])
    }
    try table.write()
    if page.isSnapshot { Terminal.note("this is a snapshot: it replaces everything that you have") }
    if let next = page.next { Terminal.note("more follows; go on with --since \(next)") }
    if let cursor = page.cursor { Terminal.note("up to date; next time --since \(cursor)") }
  }
}
