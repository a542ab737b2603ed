import MoaiFlowTesting
import Synchronization

@testable import MoaiFlow

/// A swarm over a journal in memory that fails by script, and that can be opened again and again.
struct SwarmBench {
  let memory: InMemoryStore
  let journal: FaultyJournal
  let time: TestTime
  /// Milliseconds of the clock by which agents are silent.
  let monotonic = TestTime()
  private let ids = TestTime()

  init(largestBatch: Int = 4096, epoch: UInt64 = 0xE) async throws {
    let time = TestTime()
    time.now = 1_700_000_000_000
    self.time = time
    memory = InMemoryStore(largestBatch: largestBatch, now: { time.now }, newEpoch: { Epoch(epoch) })
    journal = FaultyJournal(try await memory.open(.default))
  }

  /// A swarm over the journal as it is now. What an earlier one held in memory is not in it.
  func open(_ change: (inout SwarmOptions) -> Void = { _ in }) async throws -> Swarm {
    let (ids, time, monotonic) = (ids, time, monotonic)
    var options = SwarmOptions(
      makeCommandID: { CommandID(high: 0xC, low: UInt64(ids.next())) }, monotonicMilliseconds: { monotonic.now },
      wallMilliseconds: { time.now })
    change(&options)
    return try await Swarm.open(in: OneJournalStore(journal: journal), options: options)
  }

  /// What the journal holds.
  func entries() async throws -> [JournalEntry] {
    try await memory.open(.default).read(after: 0, entryLimit: .max, byteLimit: .max)
  }
}

/// A number that several tasks read and set.
final class TestTime: Sendable {
  private let value = Atomic<Int64>(0)

  var now: Int64 {
    get { value.load(ordering: .relaxed) }
    set { value.store(newValue, ordering: .relaxed) }
  }

  func next() -> Int64 { value.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// A store that holds one journal, whatever the name.
struct OneJournalStore: JournalStore {
  let journal: any Journal

  func swarms() async throws(JournalError) -> [SwarmName] { [.default] }
  func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal { journal }
  func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal { journal }
  func delete(_ swarm: SwarmName) async throws(JournalError) { throw .invalid("one journal for ever") }
  func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal {
    throw .invalid("one journal for ever")
  }
  func close() async throws(JournalError) {}
}

extension Swarm {
  /// The state, for comparing it whole.
  var fingerprint: SwarmState.Fingerprint { core.fingerprint }

  func value(_ key: String) async throws -> StateValue? { try await state.read(key)?.value }

  /// Waits until as many commands wait for the writer.
  func untilPending(_ count: Int) async {
    while pending.count < count { await Task.yield() }
  }

  /// Waits until the writer has a batch in hand, or has none any more.
  func until(writing: Bool) async {
    while isWriting != writing { await Task.yield() }
  }
}

/// What `work` was refused with; nil if it was accepted.
func swarmError(_ work: () async throws -> Void) async -> SwarmError? {
  do {
    try await work()
    return nil
  } catch {
    return error as? SwarmError
  }
}

/// Reads a feed from several tasks, one after the other.
actor FeedReader {
  private var iterator: ChangeFeed.Iterator

  init(_ feed: ChangeFeed) {
    iterator = feed.makeAsyncIterator()
  }

  func next() async throws -> ChangeBatch? {
    var iterator = iterator
    defer { self.iterator = iterator }
    return try await iterator.next(isolation: self)
  }
}
