import Foundation
import MoaiFlow
import MoaiFlowSQLite
import MoaiFlowTesting
import Synchronization
import Testing

@Suite("SQLite journal")
struct SQLiteContractTests {
  @Test("§10.1 the SQLite engine keeps the contract of journals")
  func keepsTheContract() async throws {
    try await withFolder { folder in
      let folders = Folders(base: folder)
      let contract = JournalContract(
        makeStore: { () async throws(JournalError) in try await folders.make() },
        reopen: { store async throws(JournalError) in try await folders.reopen(store) })
      for violation in await contract.violations() { Issue.record("\(violation)") }
    }
  }

  /// Which folder a store was opened in.
  private final class Folders: Sendable {
    private let base: String
    private let folders = Mutex<[ObjectIdentifier: String]>([:])
    private let number = Atomic(0)

    init(base: String) {
      self.base = base
    }

    func make() async throws(JournalError) -> any JournalStore {
      try await open("\(base)/\(number.wrappingAdd(1, ordering: .relaxed).newValue)")
    }

    func reopen(_ store: any JournalStore) async throws(JournalError) -> any JournalStore {
      guard let store = store as? SQLiteStore, let folder = folders.withLock({ $0[ObjectIdentifier(store)] }) else {
        throw .failed("another engine's store")
      }
      try await store.close()
      return try await open(folder)
    }

    private func open(_ folder: String) async throws(JournalError) -> any JournalStore {
      let store = try await SQLiteStore(folder: folder)
      folders.withLock { $0[ObjectIdentifier(store)] = folder }
      return store
    }
  }
}
