import Foundation
import GRDB
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import MoaiFlowTesting
import Synchronization
import Testing

@Suite("SQLite replica store")
struct SQLiteReplicaStoreTests {
  private var sources: Replica.Sources {
    let ids = Counter()
    return Replica.Sources(now: { 1_700_000_000_000 }, newID: { ReplicaID(ids.next()) })
  }

  private final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)
    func next() -> UInt64 { value.wrappingAdd(1, ordering: .relaxed).newValue }
  }

  @Test("§5.6 the SQLite store keeps the contract of replica stores")
  func keepsTheContract() async throws {
    try await withFolder { base in
      let folders = Mutex<[ObjectIdentifier: String]>([:])
      @Sendable func open(_ folder: String) async throws(JournalError) -> any ReplicaStore {
        let store = try await SQLiteReplicaStore(folder: folder)
        folders.withLock { $0[ObjectIdentifier(store)] = folder }
        return store
      }
      let contract = ReplicaStoreContract(
        makeStore: { () async throws(JournalError) in try await open("\(base)/\(UUID().uuidString)") },
        reopen: { store async throws(JournalError) in
          guard let store = store as? SQLiteReplicaStore,
            let folder = folders.withLock({ $0[ObjectIdentifier(store)] })
          else { throw .failed("another store") }
          try await store.close()
          return try await open(folder)
        })
      for violation in await contract.violations() { Issue.record("\(violation)") }
    }
  }

  @Test("§5.6 a replica in a folder is the same after its process ends, and exchanges with a swarm in another folder")
  func realFolders() async throws {
    try await withFolder { folder in
      let swarm = try await Swarm.open(in: try await SQLiteStore(folder: folder + "/swarm"))
      var replica = try await Replica.open(
        as: "alice", in: try await SQLiteReplicaStore(folder: folder + "/alice"), sources: sources)
      for number in 0..<20 { try await replica.add(.int(Int64(number)), to: "s") }
      try await replica.close()
      await #expect(throws: ReplicaError.closed) { try await replica.add("late", to: "s") }
      replica = try await Replica.open(
        as: "alice", in: try await SQLiteReplicaStore(folder: folder + "/alice"), sources: sources)
      #expect(await replica.unsentCount == 20)
      try await replica.exchange(with: swarm)
      #expect(try await swarm.state.read("s")?.value == .array((0..<20).map { .int(Int64($0)) }.sorted()))
      #expect(try await replica.read("s")?.isPending == false)
      try await replica.close()
    }
  }

  @Test(
    "§5.6 another program's file, a newer version, a damaged record and a second holder are refused, and left alone")
  func refusals() async throws {
    try await withFolder { folder in
      let path = folder + "/replica.sqlite"
      do {
        let store = try await SQLiteReplicaStore(folder: folder)
        try await store.commit([StoredRecord(.init(table: 1, id: [1]), [1, 2, 3])])
        let second = await refusal { _ = try await SQLiteReplicaStore(folder: folder) }
        if case .locked = second {} else { Issue.record("\(String(describing: second))") }
        try await store.database.write { try $0.execute(sql: "UPDATE record SET bytes = x'010204'") }
        #expect(await refusal { _ = try await store.load() }?.kindAndText.kind == "damaged")
        try await store.database.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try await store.close()
      }
      #expect(await refusal { _ = try await SQLiteReplicaStore(folder: folder) }?.kindAndText.kind == "notOurs")
      try FileManager.default.removeItem(atPath: path)
      try? FileManager.default.removeItem(atPath: path + "-wal")
      try Data("not a database, but long enough to look like a file".utf8).write(to: URL(filePath: path))
      #expect(await refusal { _ = try await SQLiteReplicaStore(folder: folder) }?.kindAndText.kind == "damaged")
      #expect(try Data(contentsOf: URL(filePath: path)).count == 51)
    }
  }

  @Test(
    "§5.6 §10.1 a disk that fills up refuses the write, loses nothing, and reads go on",
    .enabled(if: Disk.isAvailable))
  func fullDisk() async throws {
    try await Disk.with { disk in
      let replica = try await Replica.open(
        as: "alice", in: try await SQLiteReplicaStore(folder: disk.folder + "/alice"), sources: sources)
      let text = StateValue.string(UTF8String(String(repeating: "x", count: 100_000)))
      var stored = 0
      var failure: ReplicaError?
      while failure == nil, stored < 1_000 {
        do {
          try await replica.put(text, field: "f\(stored)", in: "m")
          stored += 1
        } catch let error as ReplicaError {
          failure = error
        }
      }
      guard case .store(.full)? = failure else {
        Issue.record("\(String(describing: failure))")
        return
      }
      func fields() async throws -> Int {
        guard case .object(let object)? = try await replica.read("m")?.value else { return 0 }
        return object.fields.count
      }
      #expect(try await fields() == stored)
      try FileManager.default.removeItem(atPath: disk.ballast)
      try await replica.put("more", field: "last", in: "m")
      #expect(try await fields() == stored + 1)
      try await replica.close()
    }
  }
}
