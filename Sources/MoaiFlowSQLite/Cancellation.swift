import MoaiFlow
import Synchronization

/// Ends work on another thread at its next step.
final class Cancellation: Sendable {
  private let isRequested = Atomic(false)

  func request() {
    isRequested.store(true, ordering: .releasing)
  }

  func check() throws(JournalError) {
    if isRequested.load(ordering: .acquiring) { throw .failed("cancelled") }
  }
}
