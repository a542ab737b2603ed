import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct AgentsRegister: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "register",
    abstract: "Register an agent: its next incarnation begins.",
    discussion: """
      What is not given stays as it was. An agent that was registered here and never gives a sign of life is declared failed \
      by a hub after three of its intervals.

      Example:
        moai-flow agents register worker-1 --capability swift --capability review --capacity 4
        moai-flow agents register slow-model --interval 60s --json
      """)

  @OptionGroup var argument: AgentArgument

  @Option(name: .customLong("capability"), help: "Something it can do; may be given several times.")
  var capabilities: [String] = []

  @Option(help: "How much its vote counts where votes are weighted.")
  var weight: Int64?

  @Option(help: "Tasks that it holds at once at most.")
  var capacity: Int64?

  @Option(help: "After how much silence others begin to doubt, as 500ms, 15s or 2m.")
  var interval: String?

  @Option(help: "What else others should know: a JSON object.")
  var metadata: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let agent = try argument.name()
    var profile = AgentProfile.Change(
      capabilities: capabilities.isEmpty ? nil : capabilities, weight: weight, capacity: capacity.map { .some($0) })
    if let interval { profile.heartbeatInterval = try AgentsRegister.milliseconds(interval) }
    if let metadata {
      guard case .object(let object) = try JSONParser().parse(metadata) else {
        throw Failure(.usage, "--metadata: must be a JSON object")
      }
      profile.metadata = object
    }
    let status = try await target.writingSwarm { swarm in
      _ = try await swarm.presence(of: agent).register(profile)
      return try await swarm.agents.status(of: agent.description)
    }
    guard let status else { throw Failure(.no, "agent \(agent) has left again") }
    if output.json { return try output.write(status.json) }
    try Terminal.write("\(agent) is registered, incarnation \(status.incarnation)")
  }

  private static func milliseconds(_ text: String) throws(Failure) -> Int64 {
    let units: [(String, Int64)] = [("ms", 1), ("s", 1_000), ("m", 60_000)]
    for (unit, factor) in units where text.hasSuffix(unit) {
      guard let count = Int64(text.dropLast(unit.count)), count > 0, count < 1_000_000_000 else { break }
      return count * factor
    }
    throw Failure(.usage, "--interval: \(text) is no duration; name it as 500ms, 15s or 2m")
  }
}

struct AgentsRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Let an agent go: it is no member any more.",
    discussion: """
      What it wrote stays, with its name.

      Example:
        moai-flow agents remove worker-1
      """)

  @OptionGroup var argument: AgentArgument
  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let agent = try argument.name()
    try await target.writingSwarm { swarm in try await swarm.presence(of: agent).unregister() }
    if output.json { return try output.write(["unregistered": true]) }
    try Terminal.write("\(agent) is no member any more")
  }
}
