import MoaiFlowSQLite
import Synchronization
import Testing

@testable import MoaiFlow

/// A swarm that goes on from a backup (rules §5.3, §10.1).
@Suite struct RestoredSwarmTests {
  @Test("§10.1 a backup taken while agents write gives a swarm with every write acknowledged before, and a new epoch")
  func backupWhileAgentsWrite() async throws {
    try await withFolder { folder in
      let store = try await SQLiteStore(folder: folder + "/data")
      var options = SwarmOptions()
      options.checkpointEntries = 40
      let swarm = try await Swarm.open(in: store, options: options)
      let id = CommandID(high: 1, low: 2)
      try await swarm.join(as: "erin").state.increment("once", by: 7, id: id)
      let counts = Counts()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for name in ["alice", "bob", "carol"] {
          let state = try await swarm.join(as: name).state
          group.addTask {
            for round in 0..<150 {
              try await state.increment("c")
              counts.acknowledged.wrappingAdd(1, ordering: .relaxed)
              try await state.add(.int(Int64(round)), to: "s")
              if round % 10 == 9 { try await state.delete("s") }
            }
          }
        }
        for number in 1...4 {
          while counts.acknowledged.load(ordering: .relaxed) < number * 60 { await Task.yield() }
          let before = counts.acknowledged.load(ordering: .relaxed)
          let cursor = try await swarm.status().cursor
          let backup = try await store.backup(to: "\(folder)/copy-\(number).sqlite")
          let restored = "\(folder)/restored-\(number)"
          try await SQLiteStore.restore(backup: backup.path, to: restored)
          let copy = try await SQLiteStore(folder: restored)
          let audit = await JournalAudit(of: try await copy.open(.default))
          #expect(audit.problems == [])
          #expect(audit.revision == backup.swarms[.default])

          let again = try await Swarm.open(in: copy)
          #expect(again.epoch != swarm.epoch)
          let revision = try await again.status().revision
          #expect(revision >= cursor.revision)
          guard case .int(let count)? = try await again.state.read("c")?.value else {
            Issue.record("c is no counter")
            continue
          }
          #expect(count >= Int64(before))
          // Whoever followed the original gets a snapshot, also with a revision that is there in both.
          let page = try await again.state.changes(ChangesQuery(since: .after(.cursor(cursor))))
          #expect(page.isSnapshot)
          try await again.join(as: "erin").state.increment("once", by: 7, id: id)
          #expect(try await again.state.read("once")?.value == 7)
          try await again.close()
          #expect(await JournalAudit(of: try await copy.open(.default)).problems == [])
          try await copy.close()
        }
        try await group.waitForAll()
      }
      #expect(try await swarm.state.read("c")?.value == 450)
      try await swarm.close()
      try await store.close()
    }
  }

  private final class Counts: Sendable {
    let acknowledged = Atomic(0)
  }
}
