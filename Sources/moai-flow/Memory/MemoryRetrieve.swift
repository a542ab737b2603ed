import ArgumentParser
import MoaiFlow

struct MemoryRetrieve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieve",
    abstract: "Print the value under a name.",
    discussion: """
      Exit code 1 if there is none.

      Example:
        moai-flow memory retrieve research question
        moai-flow memory retrieve research question --json
      """)

  @OptionGroup var name: MemoryNameArguments
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let found = try await target.readingSwarm { swarm in
      try await swarm.memory.retrieve(name.key, from: name.namespace)
    }
    guard let entry = found else {
      throw Failure(.no, "\(name.namespace) \(name.key): there is no such entry")
    }
    if output.json { return try output.write(entry.json) }
    guard Terminal.isInteractive else { return try Terminal.write(JSONWriter.text(entry.value, style: .spaced)) }
    try Terminal.write(PrettyJSON.text(entry.value, width: Terminal.width))
    guard let record = entry.record else { return }
    try Terminal.write(
      Terminal.dimmed("revision \(record.revision), by \(entry.agent) at \(record.timestamp.rfc3339)"))
  }
}
