import HTTPTypes
import Hummingbird
import MoaiFlow
import NIOCore
import ServiceLifecycle
import Synchronization

/// A swarm's log as events: what is there, then entry by entry as it comes.
struct LogStream: Sendable {
  /// How long it takes at most to notice that the reader may no longer read.
  private static let patience = Duration.seconds(1)

  private let swarm: Swarm
  private let since: RevisionReference?
  private let hub: HubContext
  private let caller: Caller

  static func open(for request: HubRequest, _ hub: HubContext) async throws -> HubResponse {
    guard request.query["limit"] == nil else { throw Problem.invalid("/limit", "a stream has no such parameter") }
    let id = request.headers[.lastEventID].flatMap { RevisionReference($0) }
    let since = try id ?? request.query.reference("since")
    let swarm = try await hub.swarm(of: request)
    let reader = try await hub.log(of: swarm, since: since)
    let stream = LogStream(swarm: swarm, since: since, hub: hub, caller: request.caller)
    return HubResponse(body: .stream(ResponseBody { writer in try await stream.write(reader, to: &writer) }))
  }

  private func write(_ reader: LogReader, to writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ServerSentEvent.preamble)
    let flag = StreamFlag()
    guard let number = hub.streams.add(flag, of: caller) else {
      try await writer.write(ServerSentEvent.end(hub.streams.isEnding ? .shutdown : .overflow))
      return try await writer.finish(nil)
    }
    defer { hub.streams.remove(number) }
    try await withGracefulShutdownHandler {
      try await follow(reader, flag, &writer)
    } onGracefulShutdown: { [streams = hub.streams] in
      streams.beginEnding()
    }
    try await writer.write(ServerSentEvent.end(hub.streams.end(of: number, orElse: hub.swarms.end(of: swarm.name))))
    try await writer.finish(nil)
  }

  private func follow(
    _ reader: LogReader, _ flag: StreamFlag, _ writer: inout any ResponseBodyWriter
  ) async throws {
    var reader = reader
    var last: Revision = 0
    var quietSince = ContinuousClock.now
    while !flag.hasEnded, !hub.streams.isEnding {
      if let step = try await reader.next() {
        last = step.stored.revision
        let cursor = Cursor(epoch: swarm.epoch, revision: last)
        try await writer.write(ServerSentEvent.buffer("entry", id: cursor, step.summarized))
        quietSince = .now
        continue
      }
      if last == 0 { last = try await swarm.status().revision }
      do {
        let news = Freshness(atLeast: .revision(last + 1), within: LogStream.patience)
        _ = try await cancelWhenGracefulShutdown { [swarm] in try await swarm.answer(.status, atLeast: news) }
      } catch let error as SwarmError where error.isTooEarly {
        guard ContinuousClock.now - quietSince >= hub.configuration.heartbeat else { continue }
        try await writer.write(ServerSentEvent.comment)
        quietSince = .now
      } catch is SwarmError {
        return
      }
    }
  }
}

extension SwarmError {
  fileprivate var isTooEarly: Bool { if case .notReached = self { true } else { false } }
}

/// A stream that looks up by itself.
private final class StreamFlag: WakeableMailbox {
  private let ended = Atomic(false)

  init() {}

  var hasEnded: Bool { ended.load(ordering: .acquiring) }
  func poke() {}
  func end(_ error: SwarmError?) { ended.store(true, ordering: .releasing) }
}
