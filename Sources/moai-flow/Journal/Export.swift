import ArgumentParser
import Foundation
import MoaiFlow

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a swarm's whole journal as text, a JSON document a line.",
    discussion: """
      Takes everything up to the revision at which it begins. A file appears under its name when it is complete.

      Example:
        moai-flow export research.jsonl --swarm research
        moai-flow export --swarm research | gzip > research.jsonl.gz
      """)

  @Argument(help: "The file; standard output without it.", completion: .file())
  var file: String?

  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try target.swarmName()
    try await target.readingJournal { journal in
      let horizon = try await journal.horizon()
      guard horizon == 0 else {
        throw Failure(
          .no, "the history of \(name) up to revision \(horizon) is trimmed, and an export needs all; make a backup")
      }
      let output = try OutputFile(path: file)
      do {
        let count = try await write(name, journal, to: output)
        try output.finish()
        Terminal.note("exported \(count) entries of \(name)")
      } catch {
        output.abandon()
        throw error
      }
    }
  }

  private func write(_ name: SwarmName, _ journal: any Journal, to output: OutputFile) async throws -> Revision {
    let head = try await journal.head()
    var writer = ExportWriter(swarm: name, epoch: journal.epoch, head: head)
    try output.write(writer.header)
    var replay = try await JournalReplay(journal)
    while replay.state.revision < head {
      guard let step = try await replay.next() else {
        throw SwarmError.corrupt(revision: replay.state.revision + 1, "the entry is missing")
      }
      try output.write(writer.line(for: step.stored))
    }
    try output.write(writer.trailer(chain: replay.state.chain))
    return head
  }
}
