import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
public import MoaiFlow
import NIOCore
import ServiceLifecycle
import UnixSignals

/// A hub: where agents of other processes and languages meet, over HTTP and server-sent events.
public struct Hub: Sendable {
  private let context: HubContext
  private let configuration: HubConfiguration
  private let logger: Logger

  /// - Parameter store: holds the swarms; the hub closes it when it ends.
  /// - Throws: if the address can be reached from elsewhere, and nothing protects it.
  public init(
    store: any JournalStore, configuration: HubConfiguration, logger: Logger
  ) throws(HubConfigurationError) {
    guard 0...65_535 ~= configuration.port else {
      throw HubConfigurationError("\(configuration.port) is no port")
    }
    self.configuration = configuration
    self.logger = logger
    context = try HubContext(configuration: configuration, store: store, logger: logger)
  }

  /// By which it knows itself, new at every start.
  public var id: String { context.id }

  /// Serves until the process is told to end by SIGTERM or SIGINT, or the task is cancelled; then ends streams at once,
  /// finishes what is under way, and saves a checkpoint of each swarm.
  ///
  /// - Parameter whenListening: called with the port once requests are taken.
  public func run(whenListening: @escaping @Sendable (Int) async -> Void) async throws {
    BackupFile.removeLeftovers(configuration)
    var channel = HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        ContinueHandler(), WholeAnswers(), ParserProblems(),
        SlowRequests(
          limit: .milliseconds(configuration.idleTimeout.milliseconds), discardedBytes: configuration.discardedBytes),
      ],
      idleTimeout: .milliseconds(configuration.idleTimeout.milliseconds))
    channel.httpDecoder = .init(
      maxHeaderFieldSize: configuration.headerBytes, maxHeaderListSize: configuration.headerBytes,
      maxHeaderFieldCount: configuration.headers)
    var application = Application(
      router: HubRouter(hub: context).router(),
      server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port), serverName: "moai-flow"),
      onServerRunning: { channel in await whenListening(channel.localAddress?.port ?? 0) },
      logger: logger)
    application.addServices(HubClock(context: context))
    var group = ServiceGroupConfiguration(
      services: [application], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = configuration.shutdownLimit
    let outcome: Result<Void, any Error>
    do {
      try await ServiceGroup(configuration: group).run()
      outcome = .success(())
    } catch let error as IOError {
      outcome = .failure(
        HubStartError(
          "\(configuration.host) port \(configuration.port) cannot be listened on: \(Hub.reason(error.errnoCode))"))
    } catch {
      outcome = .failure(error)
    }
    context.streams.endAll()
    await context.swarms.close()
    try outcome.get()
  }
}

extension Hub {
  private static func reason(_ code: CInt) -> String {
    code == EADDRINUSE
      ? "another program does; take another port, or 0 for a free one" : String(cString: strerror(code))
  }
}

/// Why a hub did not come to serve.
public struct HubStartError: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Why a hub does not start as it was configured.
public struct HubConfigurationError: Error, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// What happens in a hub without anybody asking: journals are replayed at the start, deadlines pass, streams say that they
/// live.
private struct HubClock: Service {
  let context: HubContext

  func run() async throws {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await context.swarms.openAll()
        context.becomeReady()
      }
      group.addTask { await forever(every: context.configuration.heartbeat) { context.streams.pokeAll() } }
      group.addTask {
        await forever(every: context.configuration.tickInterval) {
          let now = context.now()
          context.access.refresh()
          context.streams.revoke { context.access.stillAllows($0, now: now) }
          for swarm in await context.swarms.running {
            try? await swarm.tickIfDue(now: now)
            await swarm.superviseAgents(now: now)
          }
        }
      }
      await group.waitForAll()
    }
  }

  private func forever(every interval: Duration, _ body: @escaping @Sendable () async -> Void) async {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: interval)
        await body()
      }
    }
  }
}
