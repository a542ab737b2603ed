import MoaiCRDT
package import MoaiFlow

extension HubSwarm: ChangeSource {
  /// Changed keys that wait for a reader at most; a slower one catches up from the hub, each key once.
  private static let capacity = 8_192

  package func attach(
    at start: ChangesStart, matching filter: KeyFilter
  ) async throws(SwarmError) -> FeedAttachment {
    let place = try await place(of: start)
    let mailbox = FeedMailbox(capacity: HubSwarm.capacity)
    let since = if case .page(let token) = start { token.description } else { place.description }
    let call = call(
      .get, "changes", query: [("since", since), ("prefix", filter.prefix.isEmpty ? nil : filter.prefix)])
    // Ends when nobody holds the mailbox any more.
    Task { [transport, weak mailbox] in
      var known = place.revision
      var isFirst = true
      var source = EventSource(transport: transport, call: call)
      do throws(SwarmError) {
        let ending = try await source.run { event in
          guard let mailbox else { return false }
          guard event.name == "change" || event.name == "snapshot" else { return true }
          guard let batch = try? ChangeBatch(event, after: known, isFirst: isFirst) else {
            mailbox.end(.engine(.failed("the hub's event cannot be read")))
            return false
          }
          isFirst = batch.cursor != nil
          if let cursor = batch.cursor { known = cursor.revision }
          return mailbox.put(batch, weight: batch.changes.count)
        }
        if case .said("revoked") = ending {
          mailbox?.end(.denied("the token was revoked"))
        } else {
          mailbox?.end(nil)
        }
      } catch {
        mailbox?.end(error)
      }
    }
    return FeedAttachment(batches: [], next: nil, cursor: place, mailbox: mailbox)
  }

  /// Where a reader begins, with its epoch: so that one who comes back to a restored swarm is noticed.
  private func place(of start: ChangesStart) async throws(SwarmError) -> Cursor {
    if case .after(.cursor(let cursor)) = start { return cursor }
    let status = try await status()
    switch start {
    case .head: return status.cursor
    case .after(.revision(let revision)):
      guard revision <= status.revision else { throw .futureRevision(revision, head: status.revision) }
      return Cursor(epoch: status.epoch, revision: revision)
    case .page(let token): return token.start
    case .beginning, .after: return Cursor(epoch: status.epoch, revision: 0)
    }
  }
}

extension ChangeBatch {
  fileprivate init(_ event: EventParser.Event, after known: Revision, isFirst: Bool) throws {
    let json = try JSONParser(limits: JSONLimits(bytes: 64 << 20, depth: 160)).parse(event.data)
    try self.init(answer: WireObject(answer: json), after: known, isFirst: isFirst)
  }
}
