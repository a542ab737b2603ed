import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite("an audit compares the checkpoint with the replay")
struct JournalAuditTests {
  private func store() -> InMemoryStore {
    InMemoryStore(now: { 1_700_000_000_000 }, newEpoch: { Epoch(7) })
  }

  /// A swarm with some writes and a checkpoint of them.
  private func journal(_ store: InMemoryStore) async throws -> any Journal {
    let swarm = try await Swarm.open(.default, in: store)
    let alice = try await swarm.join(as: "alice")
    for number in 0..<20 { try await alice.state.increment("key-\(number % 7)") }
    try await alice.state.add("x", to: "set")
    try await swarm.close()
    return try await store.open(.default)
  }

  @Test("what a swarm saved is found sound, also with more entries behind it")
  func sound() async throws {
    let store = store()
    let journal = try await journal(store)
    let audit = await JournalAudit(of: journal)
    #expect(audit.problems == [])
    #expect(audit.revision == 21)
    #expect(audit.checkpoint == 21)
    #expect(audit.keys == 8)
    let status = try await Swarm.open(.default, in: store).status()
    #expect(audit.chain == status.chain)
  }

  @Test("a checkpoint that a faulty program wrote is noticed: a record too few, one too many, one that differs")
  func wrongRecords() async throws {
    for fault in 0..<3 {
      let journal = try await journal(store())
      let header = try #require(try await journal.checkpoint())
      let records = try await journal.checkpointRecords(of: header.revision, after: nil, limit: 1_000)
      let victim = try #require(records.first { $0.position.table == 2 })
      let extra = CheckpointRecord(table: 2, id: Array("another".utf8), bytes: victim.bytes)
      let altered = CheckpointRecord(table: 2, id: victim.position.id, bytes: victim.bytes + [0])
      try await journal.save(
        CheckpointUpdate(
          revision: header.revision, header: header.header,
          upserted: fault == 0 ? [altered] : fault == 1 ? [extra] : [], removed: fault == 2 ? [victim.position] : []))
      let audit = await JournalAudit(of: journal)
      #expect(audit.problems == ["1 records of the checkpoint at revision 21 differ from what the entries say"])
    }
  }

  @Test("a checkpoint with another chain hash is noticed")
  func wrongChain() async throws {
    let journal = try await journal(store())
    let header = try #require(try await journal.checkpoint())
    var bytes = header.header
    bytes[bytes.count - 1] ^= 1
    try await journal.save(
      CheckpointUpdate(revision: header.revision, header: bytes, upserted: [], removed: []))
    let audit = await JournalAudit(of: journal)
    #expect(audit.problems == ["the checkpoint at revision 21 has another chain hash than the entries"])
  }

  @Test("an entry that cannot be decoded is named, and what stands before it is counted")
  func undecodableEntry() async throws {
    let journal = try await journal(store())
    _ = try await journal.append([[9, 9, 9]])
    let audit = await JournalAudit(of: journal)
    #expect(audit.revision == 21)
    #expect(audit.problems.count == 1)
    #expect(audit.problems[0].hasPrefix("entry 22 is corrupt"))
  }

  @Test("whatever agents did, over several openings and checkpoints, is found sound", arguments: 1...8)
  func anyHistoryIsSound(seed: UInt64) async throws {
    let store = store()
    var generator = SplitMix64(seed: seed)
    for _ in 0..<4 {
      let swarm = try await Swarm.open(.default, in: store)
      for _ in 0..<60 {
        let request = try randomRequest(using: &generator, head: try await swarm.status().revision)
        _ = try? await swarm.perform(request)
      }
      try await swarm.close()
      let audit = await JournalAudit(of: try await store.open(.default))
      #expect(audit.problems == [])
      #expect(audit.checkpoint == audit.revision)
    }
  }

  private func randomRequest(using generator: inout SplitMix64, head: Revision) throws -> Request {
    let agent = try AgentID("agent-\(Int.random(in: 0..<3, using: &generator))")
    let part = Int64.random(in: 0..<5, using: &generator)
    let operation: StateOperation =
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: .increment(part - 2)
      case 1: .add(.int(part))
      case 2: .remove(.int(part))
      case 3: .put(field: UTF8String("field-\(part)"), .int(head))
      case 4: .removeField(UTF8String("field-\(part)"))
      default: .assign(.int(part))
      }
    let isDeletion = Int.random(in: 0..<12, using: &generator) == 0
    // Mostly a key of the operation's type; sometimes one of another, which is refused.
    let name = Int.random(in: 0..<10, using: &generator) == 0 ? "set-1" : "\(operation.type)-\(part % 2)"
    let base =
      Bool.random(using: &generator) ? nil : RevisionReference.revision(.random(in: 0...head, using: &generator))
    return Request(
      author: agent,
      body: .write([
        WriteRequest(
          try StateKey(name), isDeletion ? .delete : .operations([operation]), base: base,
          strategy: name == "register-1" ? .vector : nil)
      ]))
  }
}
