import Synchronization

#if THREAD_SANITIZER
  import MoaiFlow
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs Swift's concurrency on one thread, in an order that a seed picks and repeats.
///
/// The concurrency runtime hands every job that is ready to a hook; this executor keeps them in one queue, and takes
/// the next one as the seed says. So real actors, tasks and streams run, every interleaving of them is possible, and
/// the same seed gives the same one again, in any process. Time is simulated: when nothing is ready, it is the instant
/// of the earliest sleeper.
///
/// The hooks belong to the process and cannot be given back, which is why simulations run in a program of their own.
/// `Task.yield` and `Task.sleep` go around the hooks and must not be used inside of a run; a job that comes from
/// another thread, or waits for a real clock, ends the run as a failure. Linux only.
package enum SeededExecutor {
  package enum Failure: Error, Sendable, CustomStringConvertible {
    /// The runtime has no such hook.
    case unavailable(String)
    /// Nothing is ready, nobody sleeps, and the body has not come to its end.
    case stuck
    /// The run has taken this many jobs.
    case endless(Int)
    /// Something ran outside of the queue, so the run would not be repeatable.
    case escaped(String)

    package var description: String {
      switch self {
      case .unavailable(let symbol): "this concurrency runtime has no \(symbol)"
      case .stuck: "somebody waits for what never comes"
      case .endless(let jobs): "the run does not end: \(jobs) jobs"
      case .escaped(let what): "not repeatable: \(what)"
      }
    }
  }

  /// How the next job is picked among those that are ready.
  package enum Order: CaseIterable, Sendable {
    case random, oldestFirst, newestFirst
  }

  /// Jobs that one run takes at most.
  package static let jobLimit = 3_000_000

  /// Takes the process over. Once is enough; more often is harmless.
  package static func install() throws(Failure) {
    guard let library = dlopen(nil, RTLD_NOW) else { throw .unavailable("symbol table") }
    func hook<Hook>(_ name: String, _ value: Hook) throws(Failure) {
      guard let symbol = dlsym(library, name) else { throw .unavailable(name) }
      symbol.assumingMemoryBound(to: Hook?.self).pointee = value
    }
    guard let run = dlsym(library, "swift_job_run") else { throw .unavailable("swift_job_run") }
    JobQueue.shared.contents.withLock {
      $0.runJob = UInt(bitPattern: run)
      $0.thread = UInt(pthread_self())
    }
    try hook("swift_task_enqueueGlobal_hook", enqueue)
    try hook("swift_task_enqueueGlobalWithDelay_hook", enqueueWithDelay)
    try hook("swift_task_enqueueGlobalWithDeadline_hook", enqueueWithDeadline)
  }

  /// Runs `body` and whatever it starts, to its end; returns what `body` returns.
  ///
  /// Jobs that are still ready when `body` has returned are run too; who still sleeps is woken by a cancellation.
  package static func run<Result: Sendable>(
    seed: UInt64, order: Order = .random, _ body: @escaping @Sendable () async -> Result
  ) throws(Failure) -> Result {
    let result = ResultBox<Result>()
    JobQueue.shared.contents.withLock { $0.begin(seed: seed, order: order) }
    let task = Task.detached { result.put(await body()) }
    try drain(until: { result.value != nil })
    JobQueue.shared.wakeAll()
    try drain(until: { false })
    _ = task
    guard let value = result.value else { throw .stuck }
    return value
  }

  private static func drain(until isDone: () -> Bool) throws(Failure) {
    typealias RunJob = @convention(c) (UInt, UInt, UInt) -> Void
    let runJob = unsafeBitCast(JobQueue.shared.contents.withLock { $0.runJob }, to: RunJob.self)
    while !isDone() {
      let (job, sleeper) = JobQueue.shared.contents.withLock { $0.next() }
      if let job {
        runJob(job, 0, 0)
      } else if let sleeper {
        sleeper.resume()
      } else {
        break
      }
      let (jobs, escape) = JobQueue.shared.contents.withLock { ($0.taken, $0.escape) }
      if let escape { throw .escaped(escape) }
      if jobs > jobLimit { throw .endless(jobs) }
    }
  }

  // The runtime calls these with Swift's convention; for so few plain words it is C's.
  private typealias Enqueue = @convention(c) (UInt, UInt) -> Void
  private typealias EnqueueWithDelay = @convention(c) (UInt64, UInt, UInt) -> Void
  private typealias EnqueueWithDeadline = @convention(c) (Int64, Int64, Int64, Int64, Int32, UInt, UInt) -> Void

  private static let enqueue: Enqueue = { job, _ in
    let thread = UInt(pthread_self())
    JobQueue.shared.contents.withLock { $0.append(job, from: thread) }
  }

  private static let enqueueWithDelay: EnqueueWithDelay = { _, job, _ in
    let thread = UInt(pthread_self())
    JobQueue.shared.contents.withLock { contents in
      contents.escape = "a task slept on a real clock"
      contents.append(job, from: thread)
    }
  }

  private static let enqueueWithDeadline: EnqueueWithDeadline = { _, _, _, _, _, job, _ in
    let thread = UInt(pthread_self())
    JobQueue.shared.contents.withLock { contents in
      contents.escape = "a task slept on a real clock"
      contents.append(job, from: thread)
    }
  }
}

/// Where a body leaves its result.
private final class ResultBox<Value: Sendable>: Sendable {
  private let content = Mutex<Value?>(nil)

  var value: Value? { content.withLock { $0 } }

  func put(_ value: Value) {
    content.withLock { $0 = value }
  }
}
