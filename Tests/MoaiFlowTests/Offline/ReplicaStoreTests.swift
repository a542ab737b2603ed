import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct ReplicaStoreTests {
  @Test("§5.6 the store in memory keeps the contract of replica stores")
  func inMemory() async throws {
    let contract = ReplicaStoreContract(
      makeStore: { InMemoryReplicaStore() },
      reopen: { store async throws(JournalError) in
        guard let store = store as? InMemoryReplicaStore else { throw .failed("another store") }
        return InMemoryReplicaStore(copying: store)
      })
    for violation in await contract.violations() { Issue.record("\(violation)") }
  }

  @Test("§5.6 a stored replica whose next write would have no number is refused as damaged (found by the fuzzer)")
  func noNumber() throws {
    for number in [0, ReplicaDelta.greatestNumber + 1] {
      var state = ReplicaState(agent: try AgentID("alice"), swarm: .default, id: ReplicaID(1))
      state.next = number
      state.noteHead()
      let records = state.takeChanges()
      #expect(throws: DecodingFailure.self) { try ReplicaState(records) }
    }
  }
}
