import MoaiFlow
import MoaiFlowClient

/// A swarm as commands use it: in a data folder, or behind a hub.
protocol SwarmTarget: SwarmConnection {
  var name: SwarmName { get }
  var state: StateReader { get }
  var memory: MemoryReader { get }
  var agents: HeartbeatMonitor { get }
  /// Applies what other processes wrote since.
  func refresh() async throws(SwarmError)
}

extension SwarmTarget {
  func presence(of agent: AgentID) -> AgentPresence { AgentPresence(connection: self, agent: agent) }
}

extension Swarm: SwarmTarget {}

extension HubSwarm: SwarmTarget {
  /// A hub answers with what it has.
  func refresh() async {}
}

/// Where a command's swarms are.
enum TargetPlace {
  case folder(DataFolder)
  case hub(HubClient)
}

extension TargetOptions {
  /// How long a command waits for a hub that does not answer.
  private static var patience: HubClientOptions {
    var options = HubClientOptions()
    options.patience = .seconds(5)
    return options
  }

  /// A client of a hub, with the token that is named.
  func client(of url: String) throws -> HubClient {
    let token = TargetOptions.value(token, or: "MOAI_FLOW_TOKEN")
    return try HubClient(url, token: token, options: TargetOptions.patience)
  }

  /// The hub that is named, or the live one of the data folder, or the folder itself.
  func place() async throws -> TargetPlace {
    if let url = try hubURL() { return .hub(try client(of: url)) }
    let folder = DataFolder(path: try namedFolder())
    let token = TargetOptions.value(token, or: "MOAI_FLOW_TOKEN")
    if let hub = await HubClient.live(in: folder.path, token: token) { return .hub(hub) }
    return .folder(folder)
  }

  /// Opens the swarm for reading.
  ///
  /// - Parameter name: nil for the one that the options name.
  func readingSwarm<Result>(
    _ name: SwarmName? = nil, _ body: (any SwarmTarget) async throws -> Result
  ) async throws -> Result {
    let name = try name ?? swarmName()
    switch try await place() {
    case .hub(let hub): return try await body(hub.swarm(name))
    case .folder(let folder): return try await folder.reading(name, body)
    }
  }

  /// Opens the swarm for writing.
  ///
  /// - Parameter name: nil for the one that the options name.
  func writingSwarm<Result>(
    _ name: SwarmName? = nil, _ body: (any SwarmTarget) async throws -> Result
  ) async throws -> Result {
    let name = try name ?? swarmName()
    switch try await place() {
    case .hub(let hub): return try await body(hub.swarm(name))
    case .folder(let folder): return try await folder.writing(name, body)
    }
  }
}
