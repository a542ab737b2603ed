import ArgumentParser
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

struct SwarmsCreate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create a swarm.",
    discussion: """
      Makes the data folder if it is not there; a new folder holds the swarm default. Exit code 1 if there is such a \
      swarm.

      Example:
        moai-flow swarms create research
        moai-flow swarms create research --settings - <<< '{"policies": [{"pattern": "hits/*", "crdt_type": "counter"}]}'
      """)

  @OptionGroup var swarm: SwarmArgument

  @Option(help: "A file with the settings as JSON; - reads them from standard input.", completion: .file())
  var settings: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let name = try swarm.swarmName()
    let author = try target.agentName() ?? .operator
    let settings = try settings.map { path throws(Failure) in try SwarmSettings(file: path) }
    let status: SwarmStatus
    switch try await target.place() {
    case .hub(let hub): status = try await create(name, settings, on: hub)
    case .folder(let folder): status = try await create(name, settings, as: author, in: folder)
    }
    if output.json { return try output.write(status.json(settings: settings ?? SwarmSettings())) }
    try Terminal.write("created \(name), epoch \(status.epoch)")
  }

  private func create(
    _ name: SwarmName, _ settings: SwarmSettings?, on hub: HubClient
  ) async throws -> SwarmStatus {
    if try await hub.swarms().contains(name) { throw JournalError.alreadyExists(name) }
    return try await hub.createSwarm(name, settings: settings)
  }

  private func create(
    _ name: SwarmName, _ settings: SwarmSettings?, as author: AgentID, in folder: DataFolder
  ) async throws -> SwarmStatus {
    try await folder.writing { store in
      _ = try await store.create(name)
      do {
        let swarm = try await Swarm.open(name, in: store, createIfMissing: false)
        if let settings { try await swarm.replaceSettings(settings, as: author) }
        let status = try await swarm.status()
        try? await swarm.close()
        return status
      } catch {
        // All or nothing: without its settings the swarm is not what was asked for.
        try? await store.delete(name)
        throw error
      }
    }
  }
}
