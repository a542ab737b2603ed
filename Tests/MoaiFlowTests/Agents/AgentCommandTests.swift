import MoaiCRDT
import Testing

@testable import MoaiFlow

/// What the journal knows of agents (rules §7.1, §7.4).
@Suite struct AgentCommandTests {
  private let alice = try! AgentID("alice")

  private func registered(_ outcome: Outcome) -> Revision? {
    if case .agent(.registered(let incarnation, _)) = outcome.result { incarnation } else { nil }
  }

  @Test("§7.1 registering again is a new incarnation, and keeps what is not given")
  func incarnations() {
    var harness = CoreHarness()
    let first = AgentProfile.Change(
      capabilities: ["swift", "review", "swift"], weight: 3, capacity: .some(2), heartbeatInterval: 5_000,
      publicKey: [UInt8](repeating: 7, count: 32), metadata: ["team": "red"])
    #expect(
      harness.apply(.agent(.register(alice, first)), by: "alice").result
        == .agent(.registered(incarnation: 1, isNew: true)))
    #expect(
      harness.apply(.agent(.register(alice, .init(weight: 9))), by: "alice").result
        == .agent(.registered(incarnation: 2, isNew: false)))
    let record = harness.core.roster[alice]
    #expect(record?.incarnation == 2)
    #expect(record?.profile.capabilities == ["review", "swift"] && record?.profile.weight == 9)
    #expect(record?.profile.capacity == 2 && record?.profile.heartbeatInterval == 5_000)
    #expect(record?.profile.publicKey?.count == 32 && record?.profile.metadata["team"] == "red")
    harness.apply(.agent(.register(alice, .init(capacity: .some(nil)))), by: "alice")
    #expect(harness.core.roster[alice]?.profile.capacity == nil)
    // Who has left begins anew.
    #expect(harness.apply(.agent(.unregister(alice)), by: "alice").result == .agent(.unregistered))
    #expect(harness.core.roster[alice] == nil && harness.core.roster.count == 0)
    #expect(
      harness.apply(.agent(.unregister(alice)), by: "alice").result == .refused(.agent(.unknown(alice))))
    #expect(
      harness.apply(.agent(.register(alice, .init())), by: "alice").result
        == .agent(.registered(incarnation: 6, isNew: true)))
    #expect(harness.core.roster[alice]?.profile == AgentProfile())
  }

  @Test("§7.4 failure and recovery name an incarnation, and are ignored if a newer one exists")
  func failures() {
    var harness = CoreHarness()
    harness.apply(.agent(.register(alice, .init())), by: "alice")
    func apply(_ command: AgentCommand) -> Outcome.Result { harness.apply(.agent(command), by: "journal").result }
    #expect(apply(.recover(alice, incarnation: 1)) == .agent(.unchanged))
    #expect(apply(.fail(alice, incarnation: 1, lastSign: 123)) == .agent(.failed))
    #expect(harness.core.roster[alice]?.failure == AgentFailure(revision: 3, time: harness.now, lastSign: 123))
    #expect(harness.core.roster.failed == 1)
    #expect(apply(.fail(alice, incarnation: 1, lastSign: 456)) == .agent(.unchanged), "it has failed already")
    #expect(apply(.recover(alice, incarnation: 1)) == .agent(.recovered))
    #expect(harness.core.roster[alice]?.failure == nil && harness.core.roster.failed == 0)
    harness.apply(.agent(.register(alice, .init())), by: "alice")
    #expect(apply(.fail(alice, incarnation: 1, lastSign: nil)) == .agent(.unchanged), "that one is over")
    #expect(apply(.fail(alice, incarnation: 6, lastSign: nil)) == .agent(.failed))
    harness.apply(.agent(.register(alice, .init())), by: "alice")
    #expect(harness.core.roster[alice]?.failure == nil, "whoever registers lives")
    #expect(apply(.fail(try! AgentID("nobody"), incarnation: 1, lastSign: nil)) == .agent(.unchanged))
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§10.1 agents survive replay, a whole checkpoint, and one of what changed")
  func checkpoints() throws {
    var harness = CoreHarness()
    for number in 0..<20 {
      let agent = try AgentID("agent-\(number)")
      harness.apply(
        .agent(.register(agent, .init(weight: Int64(number), metadata: ["n": .int(Int64(number))]))), by: "x")
    }
    var saved = harness.checkpoint().upserted
    for number in stride(from: Int64(0), to: 20, by: 3) {
      harness.apply(
        .agent(.fail(try AgentID("agent-\(number)"), incarnation: number + 1, lastSign: number == 3 ? nil : 5)),
        by: "journal")
    }
    harness.apply(.agent(.unregister(try AgentID("agent-1"))), by: "x")
    let whole = harness.core.wholeCheckpoint()
    let update = harness.checkpoint()
    #expect(update.upserted.filter { $0.position.table == CheckpointTable.roster }.count == 8)
    for record in update.upserted {
      saved.removeAll { $0.position == record.position }
      saved.append(record)
    }
    for (records, header) in [(whole.upserted, whole.header), (saved, update.header)] {
      var loader = CheckpointLoader(epoch: harness.core.epoch)
      for record in records.sorted(by: { $0.position < $1.position }) { try loader.take(record) }
      var loaded = try loader.finish(CheckpointHeader(revision: harness.core.revision, header: header))
      #expect(loaded.fingerprint == harness.core.fingerprint)
      #expect(loaded.roster.count == 19 && loaded.roster.failed == 7)
      // And it goes on as the other does.
      let again = AgentCommand.register(try AgentID("agent-0"), .init(weight: 77))
      let entry = Entry(author: alice, id: CommandID(high: 9, low: 9), requestHash: 0, command: .agent(again))
      var original = harness.core
      let stored = JournalEntry(revision: loaded.revision + 1, appendedAt: harness.now, payload: entry.encoded())
      #expect(try loaded.apply(stored).outcome == original.apply(stored).outcome)
      #expect(loaded.chain == original.chain)
    }
  }

  @Test("§10.1 an unsaved checkpoint's agents belong into the next one")
  func abandonedCheckpoint() {
    var harness = CoreHarness()
    harness.apply(.agent(.register(alice, .init())), by: "alice")
    harness.abandon(harness.beginCheckpoint())
    #expect(harness.checkpoint().upserted.contains { $0.position.table == CheckpointTable.roster })
    #expect(!harness.checkpoint().upserted.contains { $0.position.table == CheckpointTable.roster })
  }

  @Test("§7.1 every command about agents survives its bytes; what no profile may hold is refused, not trapped on")
  func encoding() throws {
    let commands: [AgentCommand] = [
      .register(alice, .init()), .unregister(alice), .fail(alice, incarnation: 5, lastSign: nil),
      .fail(alice, incarnation: 5, lastSign: -7), .recover(alice, incarnation: 1 << 40),
      .register(
        alice,
        .init(
          capabilities: ["a", "ü"], weight: 0, capacity: .some(nil), heartbeatInterval: 100,
          publicKey: .init(repeating: 1, count: 32),
          metadata: ["deep": ["er": [1, 2.5, .null]]])),
      .register(alice, .init(capabilities: [], capacity: .some(10_000), metadata: [:])),
    ]
    for command in commands {
      var writer = ByteWriter()
      Command.agent(command).encode(into: &writer)
      var reader = ByteReader(writer.bytes)
      let read = try Command(from: &reader)
      try reader.finish("command")
      #expect(read == .agent(command))
      for cut in 0..<writer.bytes.count {
        #expect(throws: DecodingFailure.self) {
          var reader = ByteReader(Array(writer.bytes[..<cut]))
          _ = try Command(from: &reader)
          try reader.finish("command")
        }
      }
    }
    let forbidden: [AgentProfile.Change] = [
      .init(capabilities: Array(repeating: "x", count: 65)), .init(capabilities: [""]), .init(capabilities: ["a\nb"]),
      .init(weight: -1), .init(capacity: .some(10_001)), .init(heartbeatInterval: 99), .init(publicKey: [1]),
      .init(metadata: ["x": .string(UTF8String(String(repeating: "x", count: 20_000)))]),
    ]
    for change in forbidden {
      #expect(throws: SwarmError.self) { try change.check() }
      var writer = ByteWriter()
      Command.agent(.register(alice, change)).encode(into: &writer)
      #expect(throws: DecodingFailure.self) {
        var reader = ByteReader(writer.bytes)
        _ = try Command(from: &reader)
      }
    }
  }
}
