import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// What comes out of a journal or a checkpoint is not trusted: it is refused with the field and the byte, or it is a
/// state that works. Never a crash.
@Suite struct DecodingTests {
  /// Entries of every kind.
  private static func entries() throws -> [Entry] {
    let writes = [
      KeyWrite(
        key: try StateKey("map/\u{E9}"),
        content: .value(.map, [.put(field: "a", ["x": 1.5, "y": [true, .null]]), .removeField("b")]), base: 7,
        declaredType: .map, strategy: .vector),
      KeyWrite(key: try StateKey("c"), content: .operations([.increment(-5), .share(.max)]), condition: 0),
      KeyWrite(key: try StateKey("s"), content: .operations([.add("x"), .remove(-1)])),
      KeyWrite(key: try StateKey("r"), content: .operations([.assign("\u{1F41D}")]), declaredType: .register),
      KeyWrite(key: try StateKey("d"), content: .delete),
    ]
    let settings = SwarmSettings(
      policies: [
        KeyPolicy(pattern: GlobPattern("a/*"), type: .set, strategy: .vector, writers: [GlobPattern("w-*")]),
        KeyPolicy(pattern: GlobPattern("*")),
      ], limits: SwarmLimits(valueBytes: 100, siblings: 3))
    let written = Timestamp(milliseconds: 1_700_000_000_000, logical: 3)
    let restored = [
      RestoredWrite(part: .field("a"), value: ["x": 1], agent: try AgentID("bob"), timestamp: written, origin: 5),
      RestoredWrite(part: .field("b"), value: .null, agent: .coordinator, timestamp: written, origin: 1),
    ]
    func rewind(_ target: RewindTarget, _ effects: (String, KeyRewind.Effect)...) throws -> Command {
      .state(
        .rewind(
          RewindCommand(
            target: target, keys: [GlobPattern("a*")], isPartial: true, plannedAt: 1,
            effects: try effects.map { KeyRewind(key: try StateKey($0.0), expected: 1, reach: 1, effect: $0.1) })))
    }
    let rewinds = [
      try rewind(
        .agent(try AgentID("bob"), since: 4), ("d", .shares([RestoredShare(agent: try AgentID("bob"), share: -7)])),
        ("e", .delete), ("f", .none)),
      try rewind(.revision(9), ("d", .create(.map, .vector, restored: restored, shares: []))),
      try rewind(
        .revision(9),
        ("m", .parts(removed: [RemovedWrite(part: .element(1), dot: Dot(ReplicaID(7), 8))], restored: restored))),
    ]
    return try ([.state(.write(writes)), .settings(.replace(settings))] + rewinds).map {
      Entry(
        author: try AgentID("alice"), via: .coordinator, id: CommandID(high: 1, low: .max), requestHash: 77, command: $0
      )
    }
  }

  @Test("an entry is what its bytes say")
  func entriesRoundTrip() throws {
    for entry in try Self.entries() { #expect(try Entry(decoding: entry.encoded()) == entry) }
  }

  @Test("every entry cut short or followed by a byte is refused")
  func truncatedEntriesAreRefused() throws {
    for entry in try Self.entries() {
      let bytes = entry.encoded()
      for length in bytes.indices {
        #expect(throws: DecodingFailure.self) { try Entry(decoding: Array(bytes[..<length])) }
      }
      #expect(throws: DecodingFailure.self) { try Entry(decoding: bytes + [0]) }
    }
  }

  @Test("every flipped byte of an entry is refused, or gives an entry that applies and has these very bytes")
  func flippedEntriesNeverCrash() throws {
    for entry in try Self.entries() {
      let bytes = entry.encoded()
      for index in bytes.indices {
        for flip in [0x01, 0x80, 0xFF, 0x40, 0x07] as [UInt8] {
          var damaged = bytes
          damaged[index] ^= flip
          guard let decoded = try? Entry(decoding: damaged) else { continue }
          #expect(decoded.encoded() == damaged)
          var harness = CoreHarness()
          try harness.write("d", .increment(1))
          harness.apply(decoded.command, by: "alice")
          #expect(harness.replayed().chain == harness.core.chain)
        }
      }
    }
  }

  @Test("§6.2 a rewind with several effects on a key, each on what the one before left, is refused")
  func effectsOfARewindDoNotBuildOnEachOther() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign(1))
    let alice = try AgentID("alice")
    let written = Timestamp(milliseconds: 1_700_000_000_000)
    let effects = try (0..<4).map { index in
      let write = RestoredWrite(part: .whole, value: .int(Int64(index)), agent: alice, timestamp: written, origin: 1)
      return KeyRewind(
        key: try StateKey("r"), expected: index == 0 ? 1 : 2, reach: 1, effect: .parts(removed: [], restored: [write]))
    }
    let rewind = RewindCommand(target: .revision(1), keys: [], isPartial: false, plannedAt: 1, effects: effects)
    let outcome = harness.apply(.state(.rewind(rewind)), by: "alice")
    let refusal = StateRefusal.changedSincePlanned(try StateKey("r"))
    #expect(outcome.result == .refused(.state(refusal)))
    #expect(harness.value("r") == 1)
  }

  @Test("§4.5 an entry that writes the same parts a thousand times beside others is taken back as a whole")
  func longEntriesAreTakenBack() throws {
    var harness = CoreHarness()
    try harness.write("m", .put("a", 1), by: "alice")
    for index in 0..<20 { try harness.write("m", .put("b", .int(Int64(index))), by: "bob", base: 1) }
    let key = try StateKey("m")
    let slot = try #require(harness.core.state.keys.slot(of: key))
    let before = harness.core.state.record(in: slot)
    var toggles: [StateOperation] = []
    for index in 0..<1_000 as Range<Int64> {
      let field: UTF8String = index % 2 == 0 ? "a" : "b"
      toggles.append(index % 3 == 0 ? .removeField("b") : .put(field: field, .int(index)))
    }
    let writes = [
      KeyWrite(key: key, content: .operations(toggles), base: 1), KeyWrite(key: key, content: .delete),
      KeyWrite(key: key, content: .operations(toggles)),
    ]
    let refused = writes + [KeyWrite(key: key, content: .operations([.increment(1)]))]
    let outcome = harness.apply(.state(.write(refused)), by: "alice")
    #expect(outcome.result == .refused(.state(.typeMismatch(key, holds: .map, asked: .counter))))
    #expect(harness.core.state.record(in: slot) == before)
    harness.apply(.state(.write(writes)), by: "alice")
    #expect(harness.value("m") == ["a": 998])
  }

  @Test("§4.5 the way back from an entry keeps what stood on a part once, however often the entry writes it")
  func theWayBackIsBounded() throws {
    let none = Timestamp(milliseconds: 0)
    var transaction = Transaction(
      epoch: Epoch(1), revision: 1, timestamp: none, author: 0, authorName: try AgentID("alice"))
    for _ in 0..<10_000 {
      for part in [.field("a"), .field("b")] as [Part] { transaction.record(.part(slot: 0, part, Writes())) }
    }
    #expect(transaction.inverses.count <= 256)
  }

  @Test("noise is no entry")
  func noiseIsRefused() {
    var random = SplitMix64(seed: 5)
    for _ in 0..<20_000 {
      var bytes = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
      if !bytes.isEmpty, random.below(2) == 0 { bytes[0] = 0 }
      _ = try? Entry(decoding: bytes)
    }
  }

  @Test("§1.3 an entry with more operations than its dots can number is refused")
  func entriesHaveABoundOnOperations() throws {
    let half = KeyWrite(
      key: try StateKey("s"), content: .operations(Array(repeating: .add(1), count: Dot.operationsPerEntry / 2)))
    func entry(_ writes: [KeyWrite]) throws -> Entry {
      Entry(
        author: try AgentID("alice"), id: CommandID(high: 0, low: 0), requestHash: 0, command: .state(.write(writes)))
    }
    #expect(throws: DecodingFailure.self) { try Entry(decoding: try entry([half, half]).encoded()) }
    _ = try Entry(decoding: try entry([half]).encoded())
  }

  @Test("every outcome is what its bytes say, so that a repeated command is answered the same after a restart")
  func outcomesRoundTrip() throws {
    let key = try StateKey("k\u{E9}")
    let alice = try AgentID("alice")
    let refusals: [StateRefusal] = [
      .conditionFailed(key, current: 0), .conditionFailed(key, current: 1 << 46),
      .typeMismatch(key, holds: .set, asked: .register), .strategyMismatch(key, holds: .vector),
      .strategyMismatch(key, holds: .lww), .counterOverflow(key), .valueTooLarge(key, limit: 524_288),
      .tooManySiblings(key, limit: 64), .notAllowed(key, alice), .notAllowed(key, .operator), .futureBase(key, 9),
    ]
    let written = KeyResult(
      key: key, revision: 7, version: 3, changed: true, overwrote: [Overwritten(agent: alice, revision: 6)])
    let nothing = KeyResult(key: key, revision: 0, version: 0, changed: false, overwrote: [])
    let results: [Outcome.Result] =
      refusals.map { .refused(.state($0)) } + [
        .state(StateOutcome(keys: [written, nothing])), .state(StateOutcome(keys: [])), .settings,
        .refused(.settings(.limit("too much"))), .refused(.idempotencyMismatch),
      ]
    for result in results {
      let outcome = Outcome(revision: 12, result: result)
      var writer = ByteWriter()
      outcome.encode(into: &writer)
      var reader = ByteReader(writer.bytes)
      #expect(try Outcome(from: &reader) == outcome)
      #expect(reader.isAtEnd)
      for length in writer.bytes.indices {
        var cut = ByteReader(Array(writer.bytes[..<length]))
        #expect(throws: DecodingFailure.self) { try Outcome(from: &cut) }
      }
    }
  }

  private static func richCore() throws -> CoreHarness {
    var harness = CoreHarness()
    try harness.write("c", .increment(5), by: "alice")
    try harness.write("c", .increment(-7), by: "bob")
    try harness.write("s", .value(["x", ["y": 1]]), type: .set)
    try harness.write("s", .remove("x"))
    try harness.write("m", .put("a", 1), by: "alice", base: 0, strategy: .vector)
    try harness.write("m", .put("a", 2), by: "bob", base: 3)
    try harness.write("r", .assign("v"))
    try harness.write("gone", .assign("v"))
    try harness.write("gone", .delete)
    #expect(throws: Refusal.self) { try harness.write("c", .add(1)) }
    harness.apply(.settings(.replace(SwarmSettings(policies: [KeyPolicy(pattern: GlobPattern("q*"))]))), by: "operator")
    return harness
  }

  @Test("§10.1 every damaged record of a checkpoint is refused naming the revision, or gives a state that works")
  func damagedCheckpointsNeverCrash() async throws {
    var harness = try Self.richCore()
    let update = harness.checkpoint()
    let epoch = harness.core.epoch
    var random = SplitMix64(seed: 11)
    var refused = 0
    for (index, record) in update.upserted.enumerated() {
      for byte in record.bytes.indices {
        for variant in 0..<4 {
          var bytes = record.bytes
          switch variant {
          case 0: bytes[byte] ^= 0x01
          case 1: bytes[byte] ^= 0x80
          case 2: bytes[byte] = UInt8(random.below(256))
          default: bytes.removeSubrange(byte...)
          }
          var records = update.upserted
          records[index] = CheckpointRecord(table: record.position.table, id: record.position.id, bytes: bytes)
          if try await !load(records, header: update.header, entries: harness.journal, epoch: epoch) { refused += 1 }
        }
      }
    }
    for byte in update.header.indices {
      var header = update.header
      header[byte] ^= 0x81
      _ = try await load(update.upserted, header: header, entries: harness.journal, epoch: epoch)
    }
    #expect(refused > 500)
  }

  /// What only a damaged or foreign checkpoint says.
  enum Impossible: String, CaseIterable, CustomTestStringConvertible {
    case contentTooSmall = "contents that are counted smaller than they are, and would be negative when they go"
    case contentOfCounter = "contents of a counter that are counted at all"
    case changedAfterCheckpoint = "a key changed after the checkpoint, which would have more versions than entries"
    case touchedAfterCheckpoint = "a key that was touched after the checkpoint, and would hide its next change"
    case changedAfterTouch = "a key that was changed after it was last touched"

    var testDescription: String { rawValue }

    func change(_ core: inout SwarmState) throws {
      let register = try #require(core.state.keys.slot(of: try StateKey("r")))
      let counter = try #require(core.state.keys.slot(of: try StateKey("c")))
      let after = core.revision + 1
      switch self {
      case .contentTooSmall: core.state.keys[register].record.header.contentSize = 1
      case .contentOfCounter: core.state.keys[counter].record.header.contentSize = 1
      case .changedAfterCheckpoint:
        core.state.keys[register].revision = after
        core.state.keys[register].record.touchedAt = after
      case .touchedAfterCheckpoint: core.state.keys[register].record.touchedAt = after
      case .changedAfterTouch: core.state.keys[register].record.touchedAt = 1
      }
    }
  }

  @Test("§10.1 a checkpoint is refused that has", arguments: Impossible.allCases)
  func impossibleCheckpointsAreRefused(_ impossible: Impossible) throws {
    var core = try Self.richCore().core
    _ = try Self.load(core.wholeCheckpoint(), epoch: core.epoch)
    try impossible.change(&core)
    #expect(throws: DecodingFailure.self) { try Self.load(core.wholeCheckpoint(), epoch: core.epoch) }
  }

  @Test("§10.1 a checkpoint is refused that has a command under another revision than its outcome's, or twice")
  func commandsAreThereOnce() throws {
    let core = try Self.richCore().core
    let whole = core.wholeCheckpoint()
    func changed(_ change: (CheckpointRecord) -> [CheckpointRecord]) -> CheckpointUpdate {
      let records = whole.upserted.flatMap { record in
        record.position.table == CheckpointTable.commands ? change(record) : [record]
      }
      return CheckpointUpdate(revision: whole.revision, header: whole.header, upserted: records, removed: [])
    }
    let moved = changed { [CheckpointRecord(table: 6, id: $0.position.id.dropLast() + [0xFF], bytes: $0.bytes)] }
    let lengthened = changed { [CheckpointRecord(table: 6, id: $0.position.id + [0], bytes: $0.bytes)] }
    for update in [moved, lengthened] {
      #expect(throws: DecodingFailure.self) { try Self.load(update, epoch: core.epoch) }
    }
    var first: CheckpointRecord?
    let twice = changed { record in
      first = first ?? record
      // The key of the first one, before an outcome of its own.
      return [
        CheckpointRecord(table: 6, id: record.position.id, bytes: Array(first!.bytes[..<20] + record.bytes[20...]))
      ]
    }
    #expect(throws: DecodingFailure(.malformed("a command is there twice"), field: "checkpoint.commands", offset: 0)) {
      try Self.load(twice, epoch: core.epoch)
    }
  }

  @Test("§10.1 commands of a checkpoint from before they stood under revisions are read, and the next one moves them")
  func commandsByID() throws {
    let core = try Self.richCore().core
    let whole = core.wholeCheckpoint()
    let old = whole.upserted.map { record in
      guard record.position.table == CheckpointTable.commands else { return record }
      return CheckpointRecord(
        table: CheckpointTable.commandsByID, id: Array(record.bytes.prefix(20)),
        bytes: Array(record.bytes.dropFirst(20)))
    }
    let update = CheckpointUpdate(revision: whole.revision, header: whole.header, upserted: old, removed: [])
    var loaded = try Self.load(update, epoch: core.epoch)
    #expect(Set(loaded.wholeCheckpoint().upserted) == Set(whole.upserted))
    let next = loaded.prepareCheckpoint().update
    let oldPlaces = old.map(\.position).filter { $0.table == CheckpointTable.commandsByID }
    #expect(!oldPlaces.isEmpty)
    #expect(Set(next.removed.map(\.id)) == Set(oldPlaces.map(\.id)))
    #expect(Set(next.upserted) == Set(whole.upserted.filter { $0.position.table == CheckpointTable.commands }))
    #expect(loaded.prepareCheckpoint().update.removed == [])
  }

  @Test("§10.1 a key's record with a write that stands before a smaller one, or there twice, is refused")
  func writesOfARecordAscend() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign(1))
    try harness.write("r", .assign(2), base: 0)
    let slot = try #require(harness.core.state.keys.slot(of: try StateKey("r")))
    let record = harness.core.state.record(in: slot)
    let writes = record.indices.filter { record[$0...].starts(with: [0xE, 0, 0, 0, 0, 0, 0, 0]) }.suffix(2)
    let (first, second) = (try #require(writes.first), try #require(writes.last))
    let length = second - first
    var swapped = record
    swapped.replaceSubrange(first..<second, with: record[second..<second + length])
    swapped.replaceSubrange(second..<second + length, with: record[first..<second])
    var twice = record
    twice.replaceSubrange(second..<second + length, with: record[first..<second])
    for damaged in [swapped, twice] {
      var table = StateTable()
      var reader = ByteReader(damaged)
      let refusal = DecodingFailure(.notCanonical("writes ascend"), field: "write.dot", offset: second)
      #expect(throws: refusal) {
        _ = try table.load(try StateKey("r"), from: &reader, agents: harness.core.agents)
      }
    }
  }

  private static func load(_ update: CheckpointUpdate, epoch: Epoch) throws(DecodingFailure) -> SwarmState {
    var loader = CheckpointLoader(epoch: epoch)
    for record in update.upserted.sorted(by: { $0.position.precedes($1.position) }) { try loader.take(record) }
    return try loader.finish(CheckpointHeader(revision: update.revision, header: update.header))
  }

  /// Loads a checkpoint and, if it is accepted, writes every key and asks for everything; returns whether it was.
  private func load(
    _ records: [CheckpointRecord], header: [UInt8], entries: [JournalEntry], epoch: Epoch
  ) async throws -> Bool {
    let store = InMemoryStore(now: { 0 }, newEpoch: { epoch })
    let journal = try await store.restore(try SwarmName("damaged"), entries: entries)
    let revision = Revision(entries.count)
    try await journal.save(CheckpointUpdate(revision: revision, header: header, upserted: records, removed: []))
    let state: SwarmState
    do {
      state = try await SwarmState.loading(from: journal)
    } catch {
      guard case .corrupt(revision, _) = error else {
        Issue.record("refused with \(error)")
        return false
      }
      return false
    }
    var harness = CoreHarness(state)
    for (key, content) in [
      ("c", .increment(1)), ("s", .add("new")), ("s", .remove(["y": 1])), ("m", .put("a", 3)),
      ("m", .removeField("b")), ("r", .assign(2)), ("gone", .assign(1)), ("c", .delete), ("c", .increment(1)),
    ] as [(String, WriteRequest.Content)] {
      _ = try? harness.write(key, content)
    }
    _ = harness.changes(since: 0)
    _ = harness.changes(since: 2)
    _ = harness.checkpoint()
    return true
  }
}
