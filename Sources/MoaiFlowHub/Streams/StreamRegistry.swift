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
  private struct Stream {
    let mailbox: any WakeableMailbox
    let caller: Caller
    var isRevoked = false
  }

  private struct Contents {
    var streams: [Int: Stream] = [:]
    var next = 0
    var isEnding = false
  }

  private let contents = Mutex(Contents())
  private let limit: Int

  init(limit: Int) {
    self.limit = limit
  }

  /// How many are open.
  var count: Int { contents.withLock { $0.streams.count } }

  /// Whether the hub is ending, so that a stream that ends does so for this.
  var isEnding: Bool { contents.withLock { $0.isEnding } }

  /// - Returns: the number under which it leaves; nil: there are too many, or the hub is ending.
  func add(_ mailbox: any WakeableMailbox, of caller: Caller) -> Int? {
    contents.withLock { contents in
      guard contents.streams.count < limit, !contents.isEnding else { return nil }
      contents.next += 1
      contents.streams[contents.next] = Stream(mailbox: mailbox, caller: caller)
      return contents.next
    }
  }

  func remove(_ number: Int) {
    contents.withLock { $0.streams[number] = nil }
  }

  /// Why a stream ended that nobody said anything about: because the hub ends, its caller may no longer read, or else.
  func end(of number: Int, orElse other: StreamEnd) -> StreamEnd {
    contents.withLock { contents in
      if contents.isEnding { return .shutdown }
      return contents.streams[number]?.isRevoked ?? false ? .revoked : other
    }
  }

  /// Ends the streams whose callers may no longer read.
  func revoke(unless isAllowed: (Caller) -> Bool) {
    let revoked = contents.withLock { contents in
      let numbers = contents.streams.filter { !$0.value.isRevoked && !isAllowed($0.value.caller) }.keys
      for number in numbers { contents.streams[number]?.isRevoked = true }
      return numbers.compactMap { contents.streams[$0]?.mailbox }
    }
    for mailbox in revoked { mailbox.end(nil) }
  }

  /// Lets every stream say that it is still there.
  func pokeAll() {
    let mailboxes = contents.withLock { $0.streams.values.map(\.mailbox) }
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
      return contents.streams.values.map(\.mailbox)
    }
    for mailbox in mailboxes { mailbox.end(nil) }
  }
}
