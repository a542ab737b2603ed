import ArgumentParser
import MoaiFlow

struct StateWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Print changes as they come, until interrupted.",
    discussion: """
      First what there is (or what changed since --since), then a message for each entry. It takes no lock: other \
      commands go on writing. It looks for news five times a second.

      Example:
        moai-flow state watch tasks/
        moai-flow state watch --since head --json
      """)

  /// How often the journal is asked for news. Lowering it costs a look-up in the file each time.
  private static let interval = Duration.milliseconds(200)

  @Argument(help: "Only keys that begin with this.")
  var prefix = ""

  @Option(help: "A revision, a cursor, or head (default: the beginning).")
  var since: ChangesStartArgument?

  @Option(help: "End after this many messages.")
  var count: Int?

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count is at least 1") }
  }

  func run() async throws {
    let command = self
    try await untilInterrupted { try await command.watch() }
  }

  private func watch() async throws {
    try await target.readingSwarm { swarm in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await print(swarm.state.follow(since: since?.start ?? .beginning, prefix: prefix)) }
        group.addTask {
          while true {
            try await Task.sleep(for: StateWatch.interval)
            try await swarm.refresh()
          }
        }
        try await group.next()
        group.cancelAll()
      }
    }
  }

  private func print(_ feed: ChangeFeed) async throws {
    var printed = 0
    for try await batch in feed {
      if output.json { try output.write(batch.json) } else { try write(batch) }
      printed += 1
      if printed == count { return }
    }
  }

  private func write(_ batch: ChangeBatch) throws(Failure) {
    for change in batch.changes {
      let row = [
        "\(change.revision)", change.timestamp.rfc3339, change.agent.description, change.key.description,
        change.content.summary,
      ]
      try Terminal.write(row.joined(separator: Terminal.isInteractive ? "  " : "\t"))
    }
  }
}
