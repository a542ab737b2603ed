import MoaiFlow
import Synchronization

/// Why a stream ends although its reader is still there.
enum StreamEnd: String, Sendable {
  /// The reader was too slow; it resumes from its last id.
  case overflow
  case shutdown
  case revoked
  case deleted
}

/// The open streams of a hub: counted, woken now and then, and ended together.
final class StreamRegistry: Sendable {
  private struct Contents {
    var mailboxes: [Int: any WakeableMailbox] = [:]
    var next = 0
    var isEnding = false
  }

  private let contents = Mutex(Contents())
  private let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  /// How many are open.
  var count: Int { contents.withLock { $0.mailboxes.count } }

  /// Whether the hub is ending, so that a stream that ends does so for this.
  var isEnding: Bool { contents.withLock { $0.isEnding } }

  /// - Returns: the number under which it leaves; nil: there are too many, or the hub is ending.
  func add(_ mailbox: any WakeableMailbox) -> Int? {
    contents.withLock { contents in
      guard contents.mailboxes.count < limit, !contents.isEnding else { return nil }
      contents.next += 1
      contents.mailboxes[contents.next] = mailbox
      return contents.next
    }
  }

  func remove(_ number: Int) {
    contents.withLock { $0.mailboxes[number] = nil }
  }

  /// Lets every stream say that it is still there.
  func pokeAll() {
    let mailboxes = contents.withLock { Array($0.mailboxes.values) }
    for mailbox in mailboxes { mailbox.poke() }
  }

  /// From now on streams that end do so because the hub does, and no new one is let in.
  func beginEnding() {
    contents.withLock { $0.isEnding = true }
  }

  /// Ends every stream, and lets no new one in.
  func endAll() {
    let mailboxes = contents.withLock { contents in
      contents.isEnding = true
      return Array(contents.mailboxes.values)
    }
    for mailbox in mailboxes { mailbox.end(nil) }
  }
}
