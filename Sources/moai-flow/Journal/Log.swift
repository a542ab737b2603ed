import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import Synchronization

struct Log: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the journal's entries: who asked for what, and what became of it.",
    discussion: """
      Outcomes are found by replaying the journal from the newest checkpoint before. With --json one document a line; in a pipe \
      without it: revision, time, agent, command id, what was asked and the outcome, separated by tabs.

      Example:
        moai-flow log --since 17
        moai-flow log --follow --json
      """)

  /// How often the journal is asked for news.
  private static let interval = Duration.milliseconds(200)

  @Option(help: "Only entries after this revision or cursor.")
  var since: RevisionReference?

  @Option(help: "End after this many entries.")
  var limit: Int?

  @Flag(help: "Wait for more at the end, until interrupted.")
  var follow = false

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
  }

  func run() async throws {
    let command = self
    try await untilInterrupted { try await command.print() }
  }

  private func print() async throws {
    switch try await target.place() {
    case .hub(let hub): try await print(try target.swarmName(), of: hub)
    case .folder: try await printFolder()
    }
  }

  private func print(_ swarm: SwarmName, of hub: HubClient) async throws {
    let left = Mutex(limit ?? .max)
    if follow {
      try await hub.followLog(of: swarm, since: since) { entry in
        try? write(entry)
        return left.withLock { left in
          left -= 1
          return left > 0
        }
      }
      return
    }
    var since = since
    var remaining = limit ?? .max
    repeat {
      let (entries, next) = try await hub.log(of: swarm, since: since, limit: min(remaining, 1_000))
      for entry in entries { try write(entry) }
      remaining -= entries.count
      since = next
    } while since != nil && remaining > 0
  }

  /// An entry as a hub gives it.
  private func write(_ entry: StateValue) throws(Failure) {
    if output.json { return try output.write(entry) }
    func text(_ name: String) -> String { entry[name]?.stringValue ?? "" }
    let row = [
      entry["revision"].map { JSONWriter.text($0) } ?? "", text("appended_at"), text("agent_id"),
      String(text("command_id").prefix(8)), text("summary"), text("became"),
    ]
    try Terminal.write(row.joined(separator: Terminal.isInteractive ? "  " : "\t"))
  }

  private func printFolder() async throws {
    try await target.readingJournal { journal in
      let since = try revision(in: journal.epoch)
      let head = try await journal.head()
      if let since, since > head { throw SwarmError.futureRevision(since, head: head) }
      var replay = try await JournalReplay(journal, after: since)
      var printed = 0
      while printed != limit {
        guard let step = try await replay.next() else {
          guard follow else { return }
          try await Task.sleep(for: Log.interval)
          continue
        }
        guard step.stored.revision > since ?? 0 else { continue }
        try write(step)
        printed += 1
      }
    }
  }

  private func revision(in epoch: Epoch) throws -> Revision? {
    switch since {
    case nil: return nil
    case .revision(let revision): return revision
    case .cursor(let cursor):
      guard cursor.epoch == epoch else {
        throw SwarmError.trimmed("\(cursor) belongs to another epoch of this swarm; begin without --since")
      }
      return cursor.revision
    }
  }

  private func write(_ step: JournalReplay.Step) throws(Failure) {
    if output.json { return try output.write(step.json) }
    let row = [
      "\(step.stored.revision)", Timestamp(milliseconds: step.stored.appendedAt).rfc3339,
      step.entry.author.description, String(step.entry.id.description.prefix(8)), step.entry.command.summary,
      step.applied.outcome.summary,
    ]
    try Terminal.write(row.joined(separator: Terminal.isInteractive ? "  " : "\t"))
  }
}
