import Foundation
import HTTPTypes
import Logging
import MoaiFlow
import ServiceLifecycle
import Synchronization

/// What the routes of one hub share.
final class HubContext: Sendable {
  let configuration: HubConfiguration
  /// By which the hub knows itself, new at every start.
  let id = CommandID.random().description
  let access: AccessControl
  let swarms: HubSwarms
  let streams: StreamRegistry
  let events = EventCache()
  let news = AgentNewsEvents()
  let requests = OpenRequests()
  let logger: Logger
  private let ready = Atomic(false)

  init(
    configuration: HubConfiguration, store: any JournalStore, logger: Logger
  ) throws(HubConfigurationError) {
    access = try AccessControl(configuration, logger: logger)
    self.configuration = configuration
    self.logger = logger
    swarms = HubSwarms(
      store: store, limit: configuration.swarms, retention: configuration.retention, logger: logger)
    streams = StreamRegistry(limit: configuration.streams)
  }

  /// Milliseconds since 1970.
  func now() -> Int64 { Int64(Date.now.timeIntervalSince1970 * 1_000) }

  func newCommandID() -> CommandID { .random() }

  /// Whether all swarms have replayed their journals.
  var isReady: Bool { ready.load(ordering: .acquiring) }

  func becomeReady() { ready.store(true, ordering: .releasing) }

  /// The swarm that the request's path names.
  func swarm(of request: HubRequest) async throws(Problem) -> Swarm {
    try await swarms.swarm(try request.name("swarm", SwarmName.init))
  }

  /// Answers a query as fresh as the request asks for.
  func answer(_ query: Query, of swarm: Swarm, to request: HubRequest) async throws(Problem) -> Answer {
    do {
      guard let freshness = try request.freshness() else { return try await swarm.answer(query) }
      return try await cancelWhenGracefulShutdown { try await swarm.answer(query, atLeast: freshness) }
    } catch is CancellationError {
      throw Problem(SwarmError.closed)
    } catch let error as SwarmError {
      throw Problem(error)
    } catch let error as Problem {
      throw error
    } catch {
      throw Problem(.internalServerError, "internal", "\(error)")
    }
  }
}
