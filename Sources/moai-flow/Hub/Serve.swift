public import ArgumentParser
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

  @Option(help: "The address to listen on (or MOAI_FLOW_HOST; default: 127.0.0.1).")
  var host: String?

  @Option(help: "The port (or MOAI_FLOW_PORT; default: 8420); 0: a free one.")
  var port: Int?

  @Option(help: "How much to log: trace to critical (or MOAI_FLOW_LOG_LEVEL; default: notice).")
  var logLevel: Logger.Level?

  @Option(help: "A JSON file with any of data, host, port, log_level.", completion: .file())
  var config: String?

  func run() async throws {
    let settings = try ServeSettings(data: data, host: host, port: port, logLevel: logLevel, file: config)
    var configuration = HubConfiguration()
    configuration.host = settings.host
    configuration.port = settings.port
    var logger = Logger(label: "moai-flow", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = settings.logLevel
    logger.notice("starting", metadata: settings.metadata)
    let store = try await SQLiteStore(folder: settings.data)
    let hub: Hub
    do {
      hub = try Hub(store: store, configuration: configuration, logger: logger)
    } catch {
      try? await store.close()
      throw Failure(.usage, "\(error)")
    }
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    try await hub.run { port in
      try? Terminal.write("listening on http://\(host):\(port)")
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
