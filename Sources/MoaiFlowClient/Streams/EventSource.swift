import AsyncHTTPClient
import MoaiCRDT
import MoaiFlow

/// Events of a hub without an end: connects again when a connection is lost, from the last event on.
struct EventSource {
  enum Ending {
    /// The consumer wants no more.
    case left
    /// The hub said that there is nothing more: `deleted` or `revoked`.
    case said(String)
  }

  let transport: HubTransport
  let call: HubCall
  /// Where to go on; nil: the call says it.
  var lastID: String?

  /// Hands events over until the consumer wants no more (false), or there are no more.
  ///
  /// - Throws: what will not pass by trying again. A task that is cancelled ends as ``Ending/left``.
  mutating func run(_ body: (EventParser.Event) async -> Bool) async throws(SwarmError) -> Ending {
    var pauses = Pauses(transport.options)
    while !Task.isCancelled {
      do {
        let ending = try await connect(&pauses, body)
        if let ending { return ending }
      } catch .unreachable {
        // It may come back.
      }
      do { try await Task.sleep(for: pauses.next()) } catch { break }
    }
    return .left
  }

  /// Nil: the connection is lost, or the hub ends.
  private mutating func connect(
    _ pauses: inout Pauses, _ body: (EventParser.Event) async -> Bool
  ) async throws(SwarmError) -> Ending? {
    let bytes = try await transport.open(call, lastEventID: lastID)
    var parser = EventParser()
    do {
      for try await part in bytes {
        let events = try parser.take(part)
        // A comment: a consumer that has left notices.
        if events.isEmpty, await !body(EventParser.Event(name: EventSource.alive)) { return .left }
        for event in events {
          pauses.reset()
          if event.name == "end" {
            let reason = (try? JSONParser().parse(event.data))?["reason"]?.stringValue ?? ""
            if reason == "deleted" || reason == "revoked" { return .said(reason) }
            return nil
          }
          if let id = event.id { lastID = id }
          guard await body(event) else { return .left }
        }
      }
    } catch {
      return Task.isCancelled ? .left : nil
    }
    return nil
  }

  /// The name of what is handed over when nothing has come but a sign of life.
  static let alive = ""
}
