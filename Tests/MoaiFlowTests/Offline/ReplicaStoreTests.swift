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
}
