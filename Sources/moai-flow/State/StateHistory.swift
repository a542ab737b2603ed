import ArgumentParser
import MoaiFlow

struct StateHistory: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Print who changed a key, when and how, newest first.",
    discussion: """
      Also what happened before the key was deleted and created anew. What was refused or changed nothing is not here; \
      'moai-flow log' has it. Exit code 1 if nothing ever changed the key.

      Example:
        moai-flow state history config
        moai-flow state history config --limit 5 --before 120 --json
      """)

  @Argument(help: "The key.")
  var key: String

  @Option(help: "Changes at most; more than 1000 counts as 1000.")
  var limit = 50

  @Option(help: "Only changes before this revision or cursor.")
  var before: RevisionReference?

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run() async throws {
    let page = try await target.readingSwarm { try await $0.state.history(of: key, limit: limit, before: before) }
    if output.json {
      try output.write(page.json)
    } else {
      var table = TextTable("REV", "TIME", "AGENT", "CHANGE")
      for change in page.changes {
        table.add(["\(change.revision)", change.timestamp.rfc3339, change.agent.description, change.summary])
      }
      if !page.changes.isEmpty { try table.write() }
      if let next = page.next { Terminal.note("older changes follow; go on with --before \(next)") }
    }
    if page.changes.isEmpty, before == nil { throw Failure(.no, "\(key): nothing ever changed it") }
  }
}

extension HistoryPage.Change {
  /// What happened, in a few words.
  fileprivate var summary: String {
    var words = content.summary
    if isCreation, case .value(let value) = content {
      words = "\(rewind == nil ? "created as" : "came back as") \(JSONWriter.text(value, style: .spaced))"
    }
    return rewind.map { "rewind \($0): \(words)" } ?? words
  }
}
