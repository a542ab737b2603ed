import MoaiFlow
import NIOCore
import Synchronization

/// The newest events of a swarm as bytes, so that one is encoded once for all who watch the same keys.
final class EventCache: Sendable {
  private struct Name: Hashable {
    let epoch: Epoch
    let revision: Revision
    let prefix: String
  }

  private struct Contents {
    var events: [Name: ByteBuffer] = [:]
    /// In the order in which they came.
    var order: [Name] = []
  }

  /// Events that are kept. Raising it lets watchers that lag further behind share.
  private static let limit = 1_024

  private let contents = Mutex(Contents())

  init() {}

  /// The event of an entry for those who watch a prefix.
  func event(of batch: ChangeBatch, at cursor: Cursor, _ filter: KeyFilter) -> ByteBuffer {
    let name = Name(epoch: cursor.epoch, revision: cursor.revision, prefix: filter.prefix)
    if let known = contents.withLock({ $0.events[name] }) { return known }
    let event = ServerSentEvent.buffer("change", id: cursor, batch.json)
    contents.withLock { contents in
      guard contents.events.updateValue(event, forKey: name) == nil else { return }
      contents.order.append(name)
      guard contents.order.count > 2 * EventCache.limit else { return }
      for old in contents.order.prefix(EventCache.limit) { contents.events[old] = nil }
      contents.order.removeFirst(EventCache.limit)
    }
    return event
  }
}
