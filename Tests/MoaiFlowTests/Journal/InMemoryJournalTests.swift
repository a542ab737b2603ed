import MoaiFlow
import MoaiFlowTesting
import Synchronization
import Testing

@Suite("In-memory journal")
struct InMemoryJournalTests {
  @Test("§10.1 the in-memory engine keeps the contract of journals", arguments: [1, 7, 4_096])
  func keepsTheContract(largestBatch: Int) async {
    let contract = JournalContract(
      makeStore: { () async throws(JournalError) in InMemoryStore.counting(largestBatch: largestBatch) },
      reopen: { store async throws(JournalError) in
        guard let store = store as? InMemoryStore else { throw .failed("another engine's store") }
        return store.reopened()
      })
    for violation in await contract.violations() { Issue.record("\(violation)") }
  }

  @Test("a new store holds the swarm default")
  func newStoreHoldsDefault() async throws {
    #expect(try await InMemoryStore.counting().swarms() == [.default])
  }

  @Test("the time of an append is the clock's, even when it goes back")
  func timeIsTheClocks() async throws {
    let clock = Atomic<Int64>(5_000)
    let store = InMemoryStore(
      now: { clock.wrappingAdd(-1_000, ordering: .relaxed).newValue }, newEpoch: { Epoch(1) })
    let journal = try await store.open(.default)
    #expect(try await journal.append([[1], [2]]).appendedAt == 4_000)
    #expect(try await journal.append([[3]]).appendedAt == 3_000)
    let times = try await journal.read(after: 0, entryLimit: 9, byteLimit: 9).map(\.appendedAt)
    #expect(times == [4_000, 4_000, 3_000])
  }

  @Test("a damaged entry stops reading where it stands, and is skipped only because it is damaged")
  func damagedEntries() async throws {
    let journal = try #require(try await InMemoryStore.counting().open(.default) as? InMemoryJournal)
    _ = try await journal.append((1...8).map { [$0] })
    try journal.damage(3, isMissing: false)
    try journal.damage(5, isMissing: true)
    for (start, revision) in [(0, 3), (3, 5)] as [(Revision, Revision)] {
      let error = await #expect(throws: JournalError.self) {
        _ = try await journal.read(after: start, entryLimit: 9, byteLimit: 99)
      }
      guard case .corrupt(revision, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(try await journal.read(after: start, entryLimit: 1, byteLimit: 99).count == 1)
    }
    #expect(try await journal.damagedEntry(at: 3)?.payload == [3, 0xFF])
    #expect(try await journal.damagedEntry(at: 5)?.payload == nil)
    #expect(try await journal.damagedEntry(at: 4) == nil)
    await #expect(throws: JournalError.self) { try await journal.skip(4, replacement: [0]) }
    await #expect(throws: JournalError.self) { try await journal.skip(6, replacement: [0], evenIfIntact: true) }
    try await journal.skip(5, replacement: [55])
    try await journal.skip(3, replacement: [33])
    let entries = try await journal.read(after: 0, entryLimit: 9, byteLimit: 99)
    #expect(entries.map(\.payload) == [[1], [2], [33], [4], [55], [6], [7], [8]])
  }
}

extension InMemoryStore {
  /// Epochs 1, 2, 3, …, and a clock that moves by one at each append.
  static func counting(largestBatch: Int = 4_096) -> InMemoryStore {
    let numbers = Counters()
    return InMemoryStore(
      largestBatch: largestBatch,
      now: { numbers.time.wrappingAdd(1, ordering: .relaxed).newValue },
      newEpoch: { Epoch(numbers.epoch.wrappingAdd(1, ordering: .relaxed).newValue) })
  }

  private final class Counters: Sendable {
    let time = Atomic<Int64>(0)
    let epoch = Atomic<UInt64>(0)
  }
}
