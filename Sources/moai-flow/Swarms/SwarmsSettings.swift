import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct SwarmsSettings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "Replace a swarm's settings.",
    discussion: """
      The file holds {"policies": [{"pattern", "crdt_type"?, "strategy"?, "writers"?, "min"?, "max"?, "retention"?: \
      {"idle_ms"}}], "limits"?: {"value_bytes"?, "siblings"?, "replica_idle_ms"?}, "retention"?: {"history_ms"?, \
      "history_entries"?}}. What it leaves out gets its default; keys that exist keep their type and strategy. min and \
      max bound counters; idle_ms deletes keys that nobody changed for so long; retention lets older history go.

      Example:
        moai-flow swarms settings research settings.json
      """)

  @OptionGroup var swarm: SwarmArgument

  @Argument(help: "The settings as JSON; - reads them from standard input.", completion: .file())
  var file: String

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try swarm.swarmName()
    let author = try target.agentName() ?? .operator
    let settings = try SwarmSettings(file: file)
    let revision = try await target.writingSwarm(name) { try await $0.replaceSettings(settings, as: author) }
    if output.json {
      guard case .object(let object) = settings.json else { return }
      return try output.write(.object(object.setting("revision", to: .int(revision))))
    }
    try Terminal.write("the settings of \(name) hold from revision \(revision) on")
  }
}
