import Synchronization

/// Whether something was closed; set once.
final class ClosedFlag: Sendable {
  private let value = Atomic(false)

  var isSet: Bool { value.load(ordering: .acquiring) }

  /// Returns false if it was set already.
  func set() -> Bool { !value.exchange(true, ordering: .acquiringAndReleasing) }
}
