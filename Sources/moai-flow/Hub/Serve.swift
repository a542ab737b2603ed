public import ArgumentParser
import CoreMetrics
public import Logging
import MoaiFlow
import MoaiFlowHub
import MoaiFlowSQLite

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve the swarms of a data folder over HTTP.",
    discussion: """
      Makes the folder if it is not there. When it takes requests it prints 'listening on http://127.0.0.1:PORT'; its log \
      goes to standard error. SIGTERM ends it: streams at once, then what is under way. Without tokens it listens on this \
      machine only, and answers no web page of elsewhere; once a token was made (see 'moai-flow token'), every request \
      needs one.

      Example:
        moai-flow serve --data swarm-data
        curl -X PUT localhost:8420/v1/swarms/default/state/greeting \\
          -H 'Content-Type: application/json' -d '{"value": "hello", "agent_id": "alice"}'
        curl -N localhost:8420/v1/swarms/default/changes -H 'Accept: text/event-stream'
      """)

  @Option(help: "The data folder (or MOAI_FLOW_DATA).", completion: .directory)
  var data: String?

  @Option(help: "Where swarms are kept (or MOAI_FLOW_ENGINE; default and only one: sqlite).")
  var engine: String?

  @Option(help: "The address to listen on (or MOAI_FLOW_HOST; default: 127.0.0.1).")
  var host: String?

  @Option(help: "The port (or MOAI_FLOW_PORT; default: 8420); 0: a free one.")
  var port: Int?

  @Option(
    help: "The file of tokens (or MOAI_FLOW_AUTH; default: tokens.json in the data folder).", completion: .file())
  var auth: String?

  @Option(
    help: """
      How long history stays of swarms whose settings do not say: 30d, 12h, 90m, or forever (or MOAI_FLOW_RETENTION; \
      default: forever). Values stay in any case.
      """)
  var retention: String?

  @Option(help: "How much to log: trace to critical (or MOAI_FLOW_LOG_LEVEL; default: notice).")
  var logLevel: Logger.Level?

  @Option(help: "How often a stream that has nothing to say says so (or MOAI_FLOW_HEARTBEAT_MS; default: 15000).")
  var heartbeatMs: Int?

  @Option(
    help: "How long a connection may say nothing outside of a stream (or MOAI_FLOW_IDLE_TIMEOUT_MS; default: 75000).")
  var idleTimeoutMs: Int?

  @Option(
    help:
      "A JSON file with any of data, engine, host, port, auth, retention, log_level, heartbeat_ms, idle_timeout_ms.",
    completion: .file())
  var config: String?

  func run() async throws {
    let settings = try ServeSettings(
      data: data, engine: engine, host: host, port: port, auth: auth, retention: retention, logLevel: logLevel,
      heartbeat: heartbeatMs, idleTimeout: idleTimeoutMs, file: config)
    var configuration = HubConfiguration()
    configuration.host = settings.host
    configuration.port = settings.port
    configuration.heartbeat = settings.heartbeat
    configuration.idleTimeout = settings.idleTimeout
    configuration.retention = settings.retention
    configuration.tokens = TokenFile(path: settings.auth)
    configuration.scratchFolder = settings.data
    let metrics = MetricsRegistry()
    MetricsSystem.bootstrap(metrics)
    configuration.metrics = metrics
    var logger = Logger(label: "moai-flow", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = settings.logLevel
    logger.notice("starting", metadata: settings.metadata)
    let store = try await openStore(in: settings.data)
    let hub: Hub
    do {
      hub = try Hub(store: store, configuration: configuration, logger: logger)
    } catch {
      try? await store.close()
      throw Failure(.usage, "\(error)")
    }
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let address = HubAddress(folder: settings.data)
    try await hub.run { [logger] port in
      let url = "http://\(host):\(port)"
      do { try address.write(url, id: hub.id) } catch {
        logger.warning("the address is not in the data folder", metadata: ["error": "\(error)"])
      }
      try? Terminal.write("listening on \(url)")
    }
    address.remove()
  }

  private func openStore(in folder: String) async throws -> SQLiteStore {
    let opened: Result<SQLiteStore, JournalError>
    do { opened = .success(try await SQLiteStore(folder: folder)) } catch { opened = .failure(error) }
    if case .failure(.locked(let folder, let holder)) = opened {
      let hub = HubAddress(folder: folder).url.map { ", whose hub is at \($0)" } ?? ""
      throw Failure(.engine, "\(folder) is in use by \(holder)\(hub); stop it, or use another folder")
    }
    return try opened.get()
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
