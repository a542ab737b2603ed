import Synchronization

/// One reader that waits for a revision. The writer, its timer and its cancellation race; the first of them decides.
final class RevisionWaiter: Sendable {
  enum Ending: Sendable {
    case reached
    /// The time was over, or the reading task was cancelled.
    case gaveUp
    case ended(SwarmError)
  }

  private struct State {
    var ending: Ending?
    var reader: CheckedContinuation<Ending, Never>?
  }

  let revision: Revision
  private let state = Mutex(State())

  init(for revision: Revision) {
    self.revision = revision
  }

  func end(_ ending: Ending) {
    let reader = state.withLock { state -> CheckedContinuation<Ending, Never>? in
      guard state.ending == nil else { return nil }
      state.ending = ending
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: ending)
  }

  /// How the wait ends, when it does. Called once.
  func ending() async -> Ending {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ending = state.withLock { state in
          if state.ending == nil { state.reader = continuation }
          return state.ending
        }
        if let ending { continuation.resume(returning: ending) }
      }
    } onCancel: {
      end(.gaveUp)
    }
  }
}

/// The readers that wait, in descending order of their revisions: an entry looks at the last one only, and at none if
/// nobody waits.
struct RevisionWaiters {
  private var waiters: [RevisionWaiter] = []

  var count: Int { waiters.count }

  /// O(waiting readers).
  mutating func insert(_ waiter: RevisionWaiter) {
    let place = waiters.firstIndex { $0.revision <= waiter.revision } ?? waiters.endIndex
    waiters.insert(waiter, at: place)
  }

  /// Forgets a reader that has left. O(waiting readers).
  mutating func remove(_ waiter: RevisionWaiter) {
    guard let place = waiters.firstIndex(where: { $0 === waiter }) else { return }
    waiters.remove(at: place)
  }

  /// Wakes everybody whose revision was reached.
  mutating func wake(at revision: Revision) {
    while let waiter = waiters.last, waiter.revision <= revision {
      waiters.removeLast()
      waiter.end(.reached)
    }
  }

  /// Sends everybody away.
  mutating func end(_ error: SwarmError) {
    for waiter in waiters.reversed() { waiter.end(.ended(error)) }
    waiters = []
  }
}
