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
