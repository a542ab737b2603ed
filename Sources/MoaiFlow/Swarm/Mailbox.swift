import Synchronization

/// What can be woken and ended, whatever it holds.
package protocol WakeableMailbox: Sendable {
  /// Wakes the reader though nothing has come.
  func poke()
  /// Nothing comes any more; the reader is told why.
  func end(_ error: SwarmError?)
}

/// The bounded hand-over to one reader: elements go in one by one and come out all at once.
///
/// The writer never waits. A mailbox that is full throws its contents away and says so; a reader of changes then catches
/// up from the state, where each key stands once however often it changed.
package final class Mailbox<Element: Sendable>: WakeableMailbox {
  package enum Taken: Sendable {
    case elements([Element])
    /// Somebody wants the reader to look up: ``poke()``.
    case poked
    case overflowed
    case ended(SwarmError?)
  }

  private struct Contents {
    var elements: [Element] = []
    var weight = 0
    var hasOverflowed = false
    var isPoked = false
    var end: SwarmError??
    var reader: CheckedContinuation<Void, Never>?
    var isAbandoned = false

    var isEmpty: Bool { elements.isEmpty && !hasOverflowed && !isPoked && end == nil }

    mutating func takeReader() -> CheckedContinuation<Void, Never>? {
      defer { reader = nil }
      return reader
    }

    mutating func take() -> Taken? {
      if hasOverflowed { return .overflowed }
      if !elements.isEmpty {
        defer {
          elements = []
          weight = 0
        }
        return .elements(elements)
      }
      if let end { return .ended(end) }
      guard isPoked else { return nil }
      isPoked = false
      return .poked
    }
  }

  private let contents = Mutex(Contents())
  private let capacity: Int

  /// `capacity`: the weight of what waits at most.
  package init(capacity: Int) {
    self.capacity = capacity
  }

  /// Whether the mailbox still wants elements: not after an overflow, its end, or the reader's leaving.
  package func put(_ element: Element, weight: Int = 1) -> Bool {
    typealias Reader = CheckedContinuation<Void, Never>
    let (reader, isOpen) = contents.withLock { contents -> (Reader?, Bool) in
      guard !contents.hasOverflowed, contents.end == nil, !contents.isAbandoned else { return (nil, false) }
      contents.weight += max(1, weight)
      if contents.weight > capacity {
        contents.elements = []
        contents.hasOverflowed = true
      } else {
        contents.elements.append(element)
      }
      return (contents.takeReader(), !contents.hasOverflowed)
    }
    reader?.resume()
    return isOpen
  }

  /// Sends the reader to catch up from the state, as if it had been too slow.
  func overflow() {
    wake { contents in
      contents.elements = []
      contents.hasOverflowed = true
    }
  }

  package func poke() {
    wake { $0.isPoked = true }
  }

  package func end(_ error: SwarmError?) {
    wake { contents in
      if contents.end == nil { contents.end = .some(error) }
    }
  }

  private func wake(_ change: (inout Contents) -> Void) {
    let reader = contents.withLock { contents in
      change(&contents)
      return contents.takeReader()
    }
    reader?.resume()
  }

  /// Whether nothing waits for the reader.
  var isIdle: Bool {
    contents.withLock { $0.elements.isEmpty && !$0.hasOverflowed && $0.end == nil }
  }

  var isOpen: Bool {
    contents.withLock { !$0.hasOverflowed && $0.end == nil && !$0.isAbandoned }
  }

  /// Everything that waits, as soon as there is something. One reader at a time. Returns `.ended(nil)` when the
  /// reading task is cancelled.
  package func take() async -> Taken {
    while true {
      if let taken = contents.withLock({ $0.take() }) { return taken }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let mayWait = contents.withLock { contents in
            guard contents.isEmpty, !contents.isAbandoned else { return false }
            contents.reader = continuation
            return true
          }
          if !mayWait { continuation.resume() }
        }
      } onCancel: {
        wake { $0.isAbandoned = true }
      }
      if contents.withLock({ $0.isAbandoned && $0.isEmpty }) { return .ended(nil) }
    }
  }
}

package typealias FeedMailbox = Mailbox<ChangeBatch>

extension FeedMailbox {
  /// Bytes of a change that weigh as much as another change: what waits for a slow reader is bounded in bytes, too.
  package static var unit: Int { 1_024 }
}
