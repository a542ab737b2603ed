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
    /// In the order in which they came; those before `head` have gone.
    var order: [Name] = []
    var head = 0
    var bytes = 0

    mutating func add(_ event: ByteBuffer, _ name: Name) {
      guard events.updateValue(event, forKey: name) == nil else { return }
      order.append(name)
      bytes += event.readableBytes
      while order.count - head > EventCache.limit || bytes > EventCache.byteLimit {
        bytes -= events.removeValue(forKey: order[head])?.readableBytes ?? 0
        head += 1
      }
      guard head > EventCache.limit else { return }
      order.removeFirst(head)
      head = 0
    }
  }

  /// Events that are kept, and their bytes. Raising them lets watchers that lag further behind share.
  private static let limit = 1_024
  private static let byteLimit = 8 << 20

  private let contents = Mutex(Contents())

  init() {}

  /// The event of an entry for those who watch a prefix.
  func event(of batch: ChangeBatch, at cursor: Cursor, _ filter: KeyFilter) -> ByteBuffer {
    let name = Name(epoch: cursor.epoch, revision: cursor.revision, prefix: filter.prefix)
    if let known = contents.withLock({ $0.events[name] }) { return known }
    let event = ServerSentEvent.buffer("change", id: cursor, batch.json)
    contents.withLock { $0.add(event, name) }
    return event
  }
}
