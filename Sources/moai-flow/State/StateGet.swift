import ArgumentParser
import MoaiFlow

struct StateGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print a key's value.",
    discussion: """
      Exit code 1 if there is no such key. The past is replayed from the journal.

      Example:
        moai-flow state get requests
        moai-flow state get requests --at 17 --json
        moai-flow state get requests --at-least 20a0b7f1cacfb82b-17 --wait-ms 2000
      """)

  @Argument(help: "The key.")
  var key: String

  @Option(help: "The value as it was at this revision or cursor.")
  var at: RevisionReference?

  @OptionGroup var freshness: FreshnessOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    try await target.readingSwarm { swarm in
      guard let reading = try await freshness.reading(swarm, { try await $0.read(key, at: at) }) else {
        throw Failure(.no, "\(key): there is no such key")
      }
      try reading.write(output)
    }
  }
}

extension StateReading {
  /// Prints the value; on a terminal also who wrote it and when.
  func write(_ output: OutputOptions) throws(Failure) {
    if output.json { return try output.write(json) }
    guard Terminal.isInteractive else { return try Terminal.write(JSONWriter.text(value, style: .spaced)) }
    try Terminal.write(PrettyJSON.text(value, width: Terminal.width))
    if let siblings { try Terminal.write("also written: " + JSONWriter.text(siblings, style: .spaced)) }
    try Terminal.write(Terminal.dimmed("\(type.rawValue), version \(version), revision \(revision)"))
    try Terminal.write(Terminal.dimmed("by \(agent) at \(timestamp.rfc3339)"))
  }
}
