import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a swarm from an export.",
    discussion: """
      Keeps revisions, times, authors and command ids; the swarm gets a new epoch, so cursors into the exported one are \
      not mistaken for its own. The whole file is read and checked first, in memory; if anything is wrong with it, or \
      there is such a swarm already, nothing is changed.

      Example:
        moai-flow import research.jsonl --swarm research-copy
        zcat research.jsonl.gz | moai-flow import - --swarm research
      """)

  @Argument(help: "The export; - reads it from standard input.", completion: .file())
  var file: String

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try target.swarmName()
    let folder = DataFolder(path: try target.folder())
    let entries = try read()
    let epoch = try await folder.writing { try await $0.restore(name, entries: entries).epoch }
    if output.json {
      var fields = WireFields()
      fields.add("swarm", .string(name.name))
      fields.add("epoch", text: epoch.description)
      fields.add("revision", integer: entries.count)
      return try output.write(fields.json)
    }
    try Terminal.write("imported \(entries.count) entries as \(name), epoch \(epoch)")
  }

  private func read() throws(Failure) -> [JournalEntry] {
    let input = InputFile(path: file)
    var reader = ExportReader()
    try input.lines(limit: ExportReader.lineLimit) { line, number throws(Failure) in
      do { try reader.take(line) } catch { throw Failure(.usage, "\(input.name), line \(number): \(error)") }
    }
    do { return try reader.finish() } catch { throw Failure(.usage, "\(input.name): \(error)") }
  }
}
