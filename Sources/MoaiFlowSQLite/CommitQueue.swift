import Dispatch
import GRDB
import MoaiFlow
import Synchronization

/// The one writer of a file. Callers queue; whatever has queued while a commit was under way goes into the next one.
///
/// An fsync costs about as much as inserting ten rows, so concurrent appends of all swarms share transactions: up to
/// ``largestTransaction``. Raising it makes bulk loads a little faster and everybody else's wait longer. The queue is as
/// long as there are callers waiting. All work runs on a dispatch queue of its own, never on the cooperative pool.
final class CommitQueue: Sendable {
  static let largestTransaction = (entries: 4_096, bytes: 8 << 20)

  private enum Job: Sendable {
    case append(PendingAppend)
    case other(@Sendable (_ queue: CommitQueue) -> Void)
  }

  private struct Waiting {
    var jobs: [Job] = []
    var isDraining = false
    var isClosed = false
  }

  private let pool: DatabasePool
  private let path: String
  let now: @Sendable () -> Int64
  private let waiting = Mutex(Waiting())
  private let thread = DispatchQueue(label: "moaiflow.sqlite.writer")
  private let tails = CommittedTails()
  /// Whether a COMMIT failed in a way that leaves its outcome open; see ``settle()``.
  private let isUnsettled = Atomic(false)

  init(pool: DatabasePool, path: String, now: @escaping @Sendable () -> Int64) {
    self.pool = pool
    self.path = path
    self.now = now
  }

  /// Appends a prefix of `entries`: all of them, up to the bounds of a transaction.
  func append(_ entries: [[UInt8]], to swarm: SwarmRow) async throws(JournalError) -> Appended {
    try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Appended, JournalError>, Never>) in
      let append = PendingAppend(entries, to: swarm, continuation: continuation)
      if !enqueue(.append(append)) { continuation.resume(returning: .failure(.closed)) }
    }.get()
  }

  /// Runs `body` in a transaction of its own, in turn with the appends.
  func change<Value: Sendable>(
    _ body: @escaping @Sendable (inout WriteTransaction) throws -> Value
  ) async throws(JournalError) -> Value {
    try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, JournalError>, Never>) in
      let isQueued = enqueue(
        .other { queue in
          continuation.resume(returning: queue.commit(body))
        })
      if !isQueued { continuation.resume(returning: .failure(.closed)) }
    }.get()
  }

  /// The revision of the last committed entry, if it is known without asking the file.
  func knownHead(of swarm: SwarmRow) -> Revision? {
    tails.tail(of: swarm)?.head
  }

  /// Makes sure that what can be read now is what stays, after a COMMIT whose outcome was open.
  ///
  /// Its frames may stand in the log file behind the last valid commit: not visible now, but a restart could find them.
  /// Another commit overwrites them. Costs nothing unless there was such a failure.
  func settle() async throws(JournalError) {
    guard isUnsettled.load(ordering: .acquiring) else { return }
    try await change { _ in }
  }

  /// Refuses new work and returns when everything queued before is done.
  func close() async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let isQueued = enqueue(.other { _ in continuation.resume() }, isLast: true)
      if !isQueued { continuation.resume() }
    }
  }

  // MARK: - On the writer's thread

  private func enqueue(_ job: Job, isLast: Bool = false) -> Bool {
    let (isQueued, mustStart) = waiting.withLock { waiting in
      guard !waiting.isClosed else { return (false, false) }
      waiting.isClosed = isLast
      waiting.jobs.append(job)
      defer { waiting.isDraining = true }
      return (true, !waiting.isDraining)
    }
    if mustStart { thread.async { self.drain() } }
    return isQueued
  }

  private func drain() {
    while true {
      let batch = waiting.withLock { waiting in
        let batch = CommitQueue.takeBatch(from: &waiting.jobs)
        waiting.isDraining = !batch.isEmpty
        return batch
      }
      guard let first = batch.first else { return }
      if case .other(let run) = first {
        run(self)
      } else {
        commitAppends(
          batch.compactMap { job in
            if case .append(let append) = job { append } else { nil }
          })
      }
    }
  }

  /// One job of another kind, or as many appends as fit into a transaction, at least one.
  private static func takeBatch(from jobs: inout [Job]) -> [Job] {
    var room = largestTransaction
    var count = 0
    for job in jobs {
      guard case .append(let append) = job else {
        if count == 0 { count = 1 }
        break
      }
      guard count == 0 || (append.entries.count <= room.entries && append.bytes <= room.bytes) else { break }
      room.entries -= append.entries.count
      room.bytes -= append.bytes
      count += 1
    }
    let batch = Array(jobs.prefix(count))
    jobs.removeFirst(count)
    return batch
  }

  private func commitAppends(_ appends: [PendingAppend]) {
    let outcome = commit { transaction in
      let appendedAt = self.now()
      return try appends.map { append in
        try append.insert(at: appendedAt, in: &transaction)
      }
    }
    switch outcome {
    case .success(let results):
      for (append, result) in zip(appends, results) { append.continuation.resume(returning: result) }
    case .failure(let error):
      for append in appends { append.continuation.resume(returning: .failure(error)) }
    }
  }

  private func commit<Value>(_ body: (inout WriteTransaction) throws -> Value) -> Result<Value, JournalError> {
    pool.writeWithoutTransaction { db in
      var phase = TransactionPhase.work
      do {
        if db.isInsideTransaction { try db.rollback() }
        try settle(db)
        try db.beginTransaction(.immediate)
        var transaction = WriteTransaction(db: db, committed: tails)
        let value = try body(&transaction)
        phase = .commit
        try db.commit()
        transaction.publish()
        return .success(value)
      } catch {
        try? db.rollback()
        let error = JournalError(error, path: path, phase: phase)
        if case .uncertain = error { isUnsettled.store(true, ordering: .releasing) }
        tails.forgetAll()
        return .failure(error)
      }
    }
  }

  private func settle(_ db: Database) throws {
    guard isUnsettled.load(ordering: .acquiring) else { return }
    try db.beginTransaction(.immediate)
    try db.execute(sql: "PRAGMA user_version = \(Schema.version)")
    try db.commit()
    isUnsettled.store(false, ordering: .releasing)
  }
}

/// An append that waits for its commit.
private struct PendingAppend: Sendable {
  let swarm: SwarmRow
  let entries: ArraySlice<[UInt8]>
  let bytes: Int
  let continuation: CheckedContinuation<Result<Appended, JournalError>, Never>

  /// Takes the prefix that fits into one transaction.
  init(
    _ entries: [[UInt8]], to swarm: SwarmRow, continuation: CheckedContinuation<Result<Appended, JournalError>, Never>
  ) {
    var bytes = 0
    var count = 0
    for entry in entries.prefix(CommitQueue.largestTransaction.entries) {
      guard count == 0 || bytes + entry.count <= CommitQueue.largestTransaction.bytes else { break }
      bytes += entry.count
      count += 1
    }
    self.swarm = swarm
    self.entries = entries.prefix(count)
    self.bytes = bytes
    self.continuation = continuation
  }

  /// A swarm that is gone, or whose log is damaged, fails only its own appends; every other error fails the transaction.
  func insert(
    at appendedAt: Int64, in transaction: inout WriteTransaction
  ) throws -> Result<Appended, JournalError> {
    var tail: Tail
    do {
      tail = try transaction.tail(of: swarm)
    } catch let error as JournalError {
      return .failure(error)
    }
    let first = tail.head + 1
    try EntryRows.insert(entries.lazy.map { (appendedAt, $0) }, of: swarm, after: &tail, in: transaction.db)
    transaction.setTail(tail, of: swarm)
    return .success(Appended(firstRevision: first, count: entries.count, appendedAt: appendedAt))
  }
}
