import Synchronization

#if THREAD_SANITIZER
  import MoaiFlow
#endif

/// The clock of a run under ``SeededExecutor``: it stands still while anything is ready, and then leaps to the next
/// sleeper. All instances show the same time.
package struct SimulatedClock: Clock, Sendable {
  package struct Instant: InstantProtocol {
    /// Since the run began.
    package let nanoseconds: Int64

    package func advanced(by duration: Duration) -> Instant {
      Instant(nanoseconds: nanoseconds + duration.wholeNanoseconds)
    }

    package func duration(to other: Instant) -> Duration { .nanoseconds(other.nanoseconds - nanoseconds) }
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
  }

  package init() {}

  package var now: Instant { Instant(nanoseconds: JobQueue.shared.contents.withLock { $0.now }) }
  package var minimumResolution: Duration { .nanoseconds(1) }

  package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let id = JobQueue.shared.contents.withLock { $0.newSleep() }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let sleeps = JobQueue.shared.contents.withLock { $0.sleep(id, until: deadline.nanoseconds, continuation) }
        if !sleeps { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      JobQueue.shared.contents.withLock { $0.cancel(id) }?.resume(throwing: CancellationError())
    }
  }

  /// Sleeps unless the task is cancelled.
  package func pass(_ milliseconds: Int) async {
    try? await sleep(until: now.advanced(by: .milliseconds(milliseconds)))
  }

  /// Since the run began.
  package var milliseconds: Int64 { now.nanoseconds / 1_000_000 }
}

extension Duration {
  fileprivate var wholeNanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
