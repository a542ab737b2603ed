import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct SwarmsTrim: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trim",
    abstract: "Let go of a swarm's history up to now, and use its space again.",
    discussion: """
      Values stay. What came before now is gone for history, explain, rewind and --at, and a reader whose cursor is \
      older gets a snapshot. The file does not get shorter: its space is used again. Asks first on a terminal; elsewhere \
      it needs --yes. To keep some history always, name a "retention" in the settings instead.

      Example:
        moai-flow backup before.sqlite
        moai-flow swarms trim research --yes
      """)

  @OptionGroup var swarm: SwarmArgument
  @OptionGroup var confirmation: Confirmation
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try swarm.swarmName()
    let folder = DataFolder(path: try target.folder())
    try folder.requireExistence()
    let isConfirmed = try confirmation.isGiven(
      for: "Let go of the history of \(name)?", doing: "letting go of the history of \(name)")
    guard isConfirmed else { throw Failure(.no, "\(name) was not trimmed") }
    let (before, horizon) = try await folder.writing(name) { swarm in
      (try await swarm.status().horizon, try await swarm.trimHistory())
    }
    if output.json {
      var fields = WireFields()
      fields.add("swarm", .string(name.name))
      fields.add("horizon", integer: horizon)
      fields.add("entries", integer: horizon - before)
      return try output.write(fields.json)
    }
    guard horizon > before else { return try Terminal.write("\(name) has no history before revision \(horizon)") }
    let count = horizon - before == 1 ? "1 entry" : "\(horizon - before) entries"
    try Terminal.write("the history of \(name) up to revision \(horizon) is gone, \(count)")
  }
}
