public import MoaiFlow

/// What every store of an offline replica promises, as checks against fresh stores.
///
///     let contract = ReplicaStoreContract(makeStore: { … }, reopen: { store in … })
///     for violation in await contract.violations() { Issue.record("\(violation)") }
public struct ReplicaStoreContract: Sendable {
  let makeStore: @Sendable () async throws(JournalError) -> any ReplicaStore
  let reopen: @Sendable (any ReplicaStore) async throws(JournalError) -> any ReplicaStore

  /// * `makeStore`: a new, empty store.
  /// * `reopen`: closes the store and opens one over the same records, as the next process would.
  public init(
    makeStore: @escaping @Sendable () async throws(JournalError) -> any ReplicaStore,
    reopen: @escaping @Sendable (any ReplicaStore) async throws(JournalError) -> any ReplicaStore
  ) {
    self.makeStore = makeStore
    self.reopen = reopen
  }

  /// Everything that does not hold. A store that conforms returns none.
  public func violations() async -> [String] {
    var found: [String] = []
    for (promise, check) in checks {
      do {
        found += try await check().map { "\(promise): \($0)" }
      } catch {
        found.append("\(promise): \(error)")
      }
    }
    return found
  }

  private typealias Check = () async throws -> [String]

  private var checks: [(String, Check)] {
    [
      ("a new store is empty", isEmpty), ("what was committed is there, in order, also after a restart", keeps),
      ("a change replaces and removes", replaces), ("a closed store refuses everything", refusesWhenClosed),
      ("commits that are made at once all arrive", takesAll),
    ]
  }

  private func record(_ table: UInt8, _ id: [UInt8], _ bytes: [UInt8]?) -> StoredRecord {
    StoredRecord(.init(table: table, id: id), bytes)
  }

  private func isEmpty() async throws -> [String] {
    let store = try await makeStore()
    let records = try await store.load()
    try await store.close()
    return records.isEmpty ? [] : ["\(records.count) records"]
  }

  private func keeps() async throws -> [String] {
    var store = try await makeStore()
    let ordered = [
      record(0, [0], []), record(0, [0, 0], [1]), record(1, [], [2]),
      record(1, [1], [UInt8](repeating: 7, count: 100_000)),
      record(1, [255], [3]), record(255, [1], [0xFF]),
    ]
    try await store.commit(ordered.reversed())
    var found: [String] = []
    for _ in 0..<2 {
      if try await store.load() != ordered { found.append("other records, or in another order") }
      store = try await reopen(store)
    }
    try await store.close()
    return found
  }

  private func replaces() async throws -> [String] {
    var store = try await makeStore()
    try await store.commit([record(1, [1], [1]), record(1, [2], [2]), record(2, [1], [3])])
    try await store.commit([record(1, [1], [9]), record(1, [2], nil), record(7, [7], nil)])
    try await store.commit([])
    store = try await reopen(store)
    let records = try await store.load()
    try await store.close()
    return records == [record(1, [1], [9]), record(2, [1], [3])] ? [] : ["\(records)"]
  }

  private func refusesWhenClosed() async throws -> [String] {
    let store = try await makeStore()
    try await store.close()
    try await store.close()
    var found: [String] = []
    do {
      _ = try await store.load()
      found.append("it was read")
    } catch { if error != .closed { found.append("\(error)") } }
    do {
      try await store.commit([record(1, [1], [1])])
      found.append("it was written")
    } catch { if error != .closed { found.append("\(error)") } }
    return found
  }

  private func takesAll() async throws -> [String] {
    let store = try await makeStore()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<50 {
        let one = record(1, [UInt8(number)], [UInt8(number)])
        group.addTask { try await store.commit([one]) }
      }
      try await group.waitForAll()
    }
    let count = try await store.load().count
    try await store.close()
    return count == 50 ? [] : ["\(count) of 50 records"]
  }
}
