import ArgumentParser
import MoaiCRDT
import MoaiFlow

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

extension Outcome {
  fileprivate var summary: String {
    let word =
      switch result {
      case .settings, .journal: "applied"
      case .replica(.kept(let refusal)): "refused and kept: \(refusal)"
      case .replica: "applied"
      case .state(let state): state.keys.contains(where: \.changed) ? "applied" : "nothing changed"
      case .refused(let refusal): "refused: \(refusal)"
      }
    return isRepeat ? "\(word) (a repeat of revision \(revision))" : word
  }
}
