import Synchronization

/// The bounded hand-over from the swarm's writer to one reader: batches go in one by one and come out all at once.
///
/// The writer never waits. A mailbox that is full throws its contents away and says so; the reader then catches up
/// from the state, where each key stands once however often it changed.
package final class FeedMailbox: Sendable {
  package enum Taken: Sendable {
    case batches([ChangeBatch])
    /// Somebody wants the reader to look up: ``poke()``.
    case poked
    case overflowed
    case ended(SwarmError?)
  }

  fileprivate struct Contents {
    var batches: [ChangeBatch] = []
    var changes = 0
    var hasOverflowed = false
    var isPoked = false
    var end: SwarmError??
    var reader: CheckedContinuation<Void, Never>?
    var isAbandoned = false
  }

  private let contents = Mutex(Contents())
  private let capacity: Int
  let filter: KeyFilter

  /// `capacity`: changed keys that wait at most.
  init(capacity: Int, filter: KeyFilter) {
    self.capacity = capacity
    self.filter = filter
  }

  /// Whether the mailbox still wants batches: not after an overflow, its end, or the reader's leaving.
  func put(_ batch: ChangeBatch) -> Bool {
    typealias Reader = CheckedContinuation<Void, Never>
    let (reader, isOpen) = contents.withLock { contents -> (Reader?, Bool) in
      guard !contents.hasOverflowed, contents.end == nil, !contents.isAbandoned else { return (nil, false) }
      contents.changes += max(1, batch.changes.count)
      if contents.changes > capacity {
        contents.batches = []
        contents.hasOverflowed = true
      } else {
        contents.batches.append(batch)
      }
      return (contents.takeReader(), !contents.hasOverflowed)
    }
    reader?.resume()
    return isOpen
  }

  /// Sends the reader to catch up from the state, as if it had been too slow.
  func overflow() {
    let reader = contents.withLock { contents in
      contents.batches = []
      contents.hasOverflowed = true
      return contents.takeReader()
    }
    reader?.resume()
  }

  /// Whether nothing waits for the reader.
  var isIdle: Bool {
    contents.withLock { $0.batches.isEmpty && !$0.hasOverflowed && $0.end == nil }
  }

  var isOpen: Bool {
    contents.withLock { !$0.hasOverflowed && $0.end == nil && !$0.isAbandoned }
  }

  /// Wakes the reader though nothing has changed.
  package func poke() {
    let reader = contents.withLock { contents in
      contents.isPoked = true
      return contents.takeReader()
    }
    reader?.resume()
  }

  package func end(_ error: SwarmError?) {
    let reader = contents.withLock { contents in
      if contents.end == nil { contents.end = .some(error) }
      return contents.takeReader()
    }
    reader?.resume()
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
        let reader = contents.withLock { contents in
          contents.isAbandoned = true
          return contents.takeReader()
        }
        reader?.resume()
      }
      if contents.withLock({ $0.isAbandoned && $0.isEmpty }) { return .ended(nil) }
    }
  }
}

extension FeedMailbox.Contents {
  fileprivate var isEmpty: Bool { batches.isEmpty && !hasOverflowed && !isPoked && end == nil }

  fileprivate mutating func takeReader() -> CheckedContinuation<Void, Never>? {
    defer { reader = nil }
    return reader
  }

  fileprivate mutating func take() -> FeedMailbox.Taken? {
    if hasOverflowed { return .overflowed }
    if !batches.isEmpty {
      defer {
        batches = []
        changes = 0
      }
      return .batches(batches)
    }
    if let end { return .ended(end) }
    guard isPoked else { return nil }
    isPoked = false
    return .poked
  }
}
