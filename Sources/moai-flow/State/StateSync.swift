import ArgumentParser
import MoaiFlow

struct StateSync: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync",
    abstract: "Ask every agent for its copy of a key and merge them.",
    discussion: """
      On a data folder there is nobody to ask: it succeeds at once with the journal's value.

      Example:
        moai-flow state sync tasks --json
      """)

  @Argument(help: "The key.")
  var key: String

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let id = CommandID.random()
    let report = try await target.readingSwarm { try await $0.state.synchronize(key, id: id) }
    if output.json { return try output.write(report.json) }
    let value = report.result.map { JSONWriter.text($0.value, style: .spaced) } ?? "absent"
    try Terminal.write(
      "\(key) at revision \(report.revision): \(value) (\(report.responders.count) of \(report.asked) answered)")
  }
}
