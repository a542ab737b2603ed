import HTTPTypes
import Hummingbird
import MoaiCRDT
import MoaiFlow
import NIOCore
import ServiceLifecycle

/// The changes of a swarm as events without an end (rule §5.4): first what was missed, then entry by entry.
///
/// A reader that is too slow is never waited for: its mailbox overflows, it is told so, and resumes from its last id.
struct ChangeStream: Sendable {
  private let swarm: Swarm
  private let filter: KeyFilter
  private let hub: HubContext
  private let caller: Caller

  /// Opens a stream; `Last-Event-ID` wins over `since`.
  ///
  /// - Throws: before the first byte, if the place or the swarm is none.
  static func open(for request: HubRequest, _ hub: HubContext) async throws -> HubResponse {
    for name in ["limit", "max_bytes", "as", "origins"] where request.query[name] != nil {
      throw Problem.invalid("/\(name)", "a stream has no such parameter")
    }
    let filter = KeyFilter(prefix: request.query["prefix"] ?? "")
    let start =
      if let last = request.headers[.lastEventID] {
        try ChangesStart(last, from: "/Last-Event-ID")
      } else {
        try ChangesStart(request.query["since"])
      }
    let swarm = try await hub.swarm(of: request)
    // Waits for what the reader wants it to have seen.
    if try request.freshness() != nil { _ = try await hub.answer(.status, of: swarm, to: request) }
    let first = try await swarm.attach(at: start, matching: filter)
    let stream = ChangeStream(swarm: swarm, filter: filter, hub: hub, caller: request.caller)
    return HubResponse(
      body: .stream(ResponseBody { writer in try await stream.write(first, to: &writer) }))
  }

  private func write(_ first: FeedAttachment, to writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ServerSentEvent.preamble)
    var attached = first
    var place = attached.cursor
    while true {
      for batch in attached.batches { try await writer.write(event(of: batch)) }
      if let cursor = attached.batches.last?.cursor { place = cursor }
      guard let next = attached.next else { break }
      attached = try await swarm.attach(at: .page(next), matching: filter)
    }
    guard let mailbox = attached.mailbox else { return }
    guard let number = hub.streams.add(mailbox, of: caller) else {
      try await end(hub.streams.isEnding ? .shutdown : .overflow, &writer)
      return
    }
    defer { hub.streams.remove(number) }
    let end = try await withGracefulShutdownHandler {
      try await follow(mailbox, number, from: place, &writer)
    } onGracefulShutdown: { [streams = hub.streams] in
      streams.beginEnding()
      mailbox.end(nil)
    }
    try await self.end(end, &writer)
  }

  private func end(_ reason: StreamEnd, _ writer: inout any ResponseBodyWriter) async throws {
    try await writer.write(ServerSentEvent.end(reason))
    try await writer.finish(nil)
  }

  /// Writes what comes until it ends; all that waits goes out at once.
  private func follow(
    _ mailbox: FeedMailbox, _ number: Int, from place: Cursor, _ writer: inout any ResponseBodyWriter
  ) async throws -> StreamEnd {
    var place = place
    while true {
      switch await mailbox.take() {
      case .elements(let batches):
        var events = ByteBuffer()
        for batch in batches {
          var event = event(of: batch)
          if batches.count == 1 { events = event } else { events.writeBuffer(&event) }
          if let cursor = batch.cursor { place = cursor }
        }
        try await writer.write(events)
      case .poked: place = try await say(place, mailbox, &writer)
      case .overflowed: return .overflow
      case .ended(nil): return hub.streams.end(of: number, orElse: hub.swarms.end(of: swarm.name))
      case .ended: return .shutdown
      }
    }
  }

  /// Tells that the stream lives; one that is filtered also how far the swarm has come without it.
  private func say(
    _ place: Cursor, _ mailbox: FeedMailbox, _ writer: inout any ResponseBodyWriter
  ) async throws -> Cursor {
    guard filter != .all, let now = await swarm.place(of: mailbox), now.revision > place.revision else {
      try await writer.write(ServerSentEvent.comment)
      return place
    }
    try await writer.write(ServerSentEvent.buffer("progress", id: now, ["revision": .int(now.revision)]))
    return now
  }

  private func event(of batch: ChangeBatch) -> ByteBuffer {
    if let cursor = batch.cursor, batch.agent != nil { return hub.events.event(of: batch, at: cursor, filter) }
    return ServerSentEvent.buffer(batch.isSnapshot ? "snapshot" : "change", id: batch.cursor, batch.json)
  }
}
