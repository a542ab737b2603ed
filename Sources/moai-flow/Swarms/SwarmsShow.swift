import ArgumentParser
import MoaiFlow

struct SwarmsShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print where a swarm stands, and its settings.",
    discussion: """
      Example:
        moai-flow swarms show research
      """)

  @OptionGroup var swarm: SwarmArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let (status, settings) = try await target.readingSwarm(try swarm.swarmName()) { swarm in
      (try await swarm.status(), try await swarm.settings().settings)
    }
    if output.json { return try output.write(status.json(settings: settings)) }
    var table = TextTable("SWARM", status.name.description)
    table.add(["epoch", status.epoch.description])
    table.add(["revision", "\(status.revision)"])
    table.add(["horizon", "\(status.horizon)"])
    table.add(["checkpoint", "\(status.checkpoint)"])
    table.add(["keys", "\(status.keys)"])
    if Terminal.isInteractive {
      try table.write()
      try Terminal.write("settings    " + PrettyJSON.text(settings.json, width: Terminal.width - 12))
    } else {
      table.add(["settings", JSONWriter.text(settings.json, style: .spaced)])
      try table.write()
    }
  }
}
