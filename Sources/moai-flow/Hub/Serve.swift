public import ArgumentParser
import Foundation
public import Logging
import MoaiFlowHub
import MoaiFlowSQLite

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve the swarms of a data folder over HTTP.",
    discussion: """
      Makes the folder if it is not there. When it takes requests it prints 'listening on http://127.0.0.1:PORT'; its log \
      goes to standard error. SIGTERM ends it: streams at once, then what is under way. It listens on this machine only, \
      and answers no web page of elsewhere.

      Example:
        moai-flow serve --data swarm-data
        curl -X PUT localhost:8420/v1/swarms/default/state/greeting \\
          -H 'Content-Type: application/json' -d '{"value": "hello", "agent_id": "alice"}'
        curl -N localhost:8420/v1/swarms/default/changes -H 'Accept: text/event-stream'
      """)

  @Option(help: "The data folder (or MOAI_FLOW_DATA).", completion: .directory)
  var data: String?

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port; 0: a free one.")
  var port = 8420

  @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
  var logLevel = Logger.Level.notice

  func run() async throws {
    let folder = data ?? ProcessInfo.processInfo.environment["MOAI_FLOW_DATA"] ?? ""
    guard !folder.isEmpty else {
      throw Failure(.usage, "no data folder is named; give --data DIR or set MOAI_FLOW_DATA")
    }
    var configuration = HubConfiguration()
    configuration.host = host
    configuration.port = port
    var logger = Logger(label: "moai-flow", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = logLevel
    let store = try await SQLiteStore(folder: folder)
    let hub: Hub
    do {
      hub = try Hub(store: store, configuration: configuration, logger: logger)
    } catch {
      try? await store.close()
      throw Failure(.usage, "\(error)")
    }
    try await hub.run { port in
      try? Terminal.write("listening on http://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
