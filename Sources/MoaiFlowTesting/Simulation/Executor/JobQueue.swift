import HeapModule
import Synchronization

#if THREAD_SANITIZER
  import MoaiFlow
#endif

/// What is ready to run, and who sleeps until when: the whole schedule of a simulated run.
final class JobQueue: Sendable {
  static let shared = JobQueue()

  struct Contents {
    /// Addresses of the runtime's jobs.
    private var ready: [UInt] = []
    private var sleepers = Heap<Sleeper>()
    private var continuations: [Int: CheckedContinuation<Void, any Error>] = [:]
    private var cancelled: Set<Int> = []
    private var sleeps = 0
    private var random = SplitMix64(seed: 0)
    private var order = SeededExecutor.Order.random
    /// Nanoseconds since the run began.
    private(set) var now: Int64 = 0
    /// Jobs taken since the run began.
    private(set) var taken = 0
    /// What happened outside of the queue.
    var escape: String?
    var runJob: UInt = 0
    var thread: UInt = 0

    mutating func begin(seed: UInt64, order: SeededExecutor.Order) {
      random = SplitMix64(seed: seed)
      self.order = order
      ready = []
      sleepers = Heap()
      continuations = [:]
      cancelled = []
      (sleeps, now, taken, escape) = (0, 0, 0, nil)
    }

    mutating func append(_ job: UInt, from thread: UInt) {
      if thread != self.thread { escape = "a job came from another thread" }
      ready.append(job)
    }

    /// The next job; or, when nothing is ready, the sleeper whose time has come.
    mutating func next() -> (UInt?, CheckedContinuation<Void, any Error>?) {
      taken += 1
      if !ready.isEmpty { return (takeReady(), nil) }
      while let sleeper = sleepers.popMin() {
        guard let continuation = continuations.removeValue(forKey: sleeper.id) else { continue }
        now = max(now, sleeper.instant)
        return (nil, continuation)
      }
      return (nil, nil)
    }

    private mutating func takeReady() -> UInt {
      switch order {
      case .oldestFirst: return ready.removeFirst()
      case .newestFirst: return ready.removeLast()
      case .random:
        ready.swapAt(random.below(ready.count), ready.count - 1)
        return ready.removeLast()
      }
    }

    mutating func newSleep() -> Int {
      sleeps += 1
      return sleeps
    }

    /// False if the sleep was cancelled before it began.
    mutating func sleep(
      _ id: Int, until instant: Int64, _ continuation: CheckedContinuation<Void, any Error>
    ) -> Bool {
      if cancelled.remove(id) != nil { return false }
      sleepers.insert(Sleeper(instant: instant, id: id))
      continuations[id] = continuation
      return true
    }

    mutating func cancel(_ id: Int) -> CheckedContinuation<Void, any Error>? {
      if let continuation = continuations.removeValue(forKey: id) { return continuation }
      cancelled.insert(id)
      return nil
    }

    mutating func takeSleepers() -> [CheckedContinuation<Void, any Error>] {
      defer { continuations = [:] }
      return continuations.keys.sorted().compactMap { continuations[$0] }
    }
  }

  struct Sleeper: Comparable {
    let instant: Int64
    let id: Int

    static func < (left: Self, right: Self) -> Bool {
      left.instant == right.instant ? left.id < right.id : left.instant < right.instant
    }
  }

  let contents = Mutex(Contents())

  /// Cancels every sleep under way.
  func wakeAll() {
    for sleeper in contents.withLock({ $0.takeSleepers() }) { sleeper.resume(throwing: CancellationError()) }
  }
}
