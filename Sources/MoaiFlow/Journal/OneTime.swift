import Synchronization

/// Says once that it is the first time.
final class OneTime: Sendable {
  private let isOver = Atomic(false)

  func isFirst() -> Bool {
    !isOver.exchange(true, ordering: .acquiringAndReleasing)
  }
}
