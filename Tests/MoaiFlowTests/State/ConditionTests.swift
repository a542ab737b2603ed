import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct ConditionTests {
  private func key(_ name: String) throws -> StateKey { try StateKey(name) }

  @Test("§4.5 if_revision holds when it is the key's revision; another key's writes do not matter")
  func conditionIsOnTheKey() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign(1))
    try harness.write("other", .assign(1))
    try harness.write("r", .assign(2), ifRevision: 1)
    #expect(harness.value("r") == 2)
    #expect(throws: Refusal.state(.conditionFailed(try key("r"), current: 3))) {
      try harness.write("r", .assign(3), ifRevision: 1)
    }
    #expect(throws: Refusal.state(.conditionFailed(try key("r"), current: 3))) {
      try harness.write("r", .assign(3), ifRevision: 2)
    }
    #expect(harness.value("r") == 2)
  }

  @Test("§4.5 zero means absent: never written, or deleted")
  func zeroMeansAbsent() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign(1), ifRevision: 0)
    #expect(throws: Refusal.state(.conditionFailed(try key("r"), current: 1))) {
      try harness.write("r", .assign(2), ifRevision: 0)
    }
    try harness.write("r", .delete, ifRevision: 1)
    #expect(throws: Refusal.state(.conditionFailed(try key("r"), current: 0))) {
      try harness.write("r", .assign(2), ifRevision: 1)
    }
    try harness.write("r", .assign(3), ifRevision: 0)
    #expect(harness.value("r") == 3)
  }

  @Test("§4.5 a write that changed nothing visible does not break a condition")
  func invisibleWritesKeepTheRevision() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    try harness.write("s", .add("x"), by: "bob")
    try harness.write("s", .add("y"), by: "carol", ifRevision: 1)
    #expect(harness.value("s") == ["x", "y"])
  }

  @Test("§4.5 the base defaults to if_revision")
  func baseDefaultsToTheCondition() throws {
    var harness = CoreHarness()
    try harness.write("s", .add("x"), by: "alice")
    // Invisible, so the condition holds; but not seen at revision 1, so it protects x.
    try harness.write("s", .add("x"), by: "bob")
    try harness.write("s", .remove("x"), by: "carol", ifRevision: 1)
    #expect(harness.value("s") == ["x"])
    try harness.write("s", .value(["y"]), by: "carol", ifRevision: 1)
    #expect(harness.value("s") == ["x", "y"])
    let revision = harness.core.revision
    try harness.write("s", .value(["z"]), by: "carol", base: revision, ifRevision: revision)
    #expect(harness.value("s") == ["z"])
  }

  @Test("§4.5 a condition in the future or below zero is refused by its own name")
  func impossibleConditions() throws {
    var harness = CoreHarness()
    try harness.write("r", .assign(1))
    #expect(throws: SwarmError.futureRevision(2, head: 1)) { try harness.write("r", .assign(2), ifRevision: 2) }
    do {
      try harness.write("r", .assign(2), ifRevision: -1)
      Issue.record("accepted")
    } catch SwarmError.invalid(let field, _) {
      #expect(field == "/if_revision")
    }
  }

  @Test("§4.5 a batch over several keys is all or nothing: one refusal takes everything back", arguments: 0..<7)
  func batchesRollBack(failing: Int) throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(5), by: "alice")
    try harness.write("s", .value(["a", "b"]), type: .set)
    try harness.write("m", .value(["f": 1, "g": 2]), type: .map)
    try harness.write("r", .assign("old"))
    try harness.write("dead", .assign("was"))
    try harness.write("dead", .delete)
    let before = harness.core.fingerprint
    let readings = ["c", "s", "m", "r", "dead", "new"].map { harness.reading($0) }
    let listing = harness.keys()
    var writes = try [
      WriteRequest(key("new"), .add("x")), WriteRequest(key("dead"), .increment(1)),
      WriteRequest(key("c"), .increment(7)),
      WriteRequest(key("s"), .operations([.remove("a"), .add("c"), .remove("b"), .add("a")])),
      WriteRequest(key("m"), .operations([.put(field: "f", 9), .removeField("g"), .put(field: "h", 1)])),
      WriteRequest(key("r"), .delete), WriteRequest(key("r"), .add("other type")), WriteRequest(key("new"), .delete),
      WriteRequest(key("new"), .increment(3)), WriteRequest(key("c"), .delete),
      WriteRequest(key("c"), .assign("now a register")),
    ]
    let bad = try [
      WriteRequest(key("s"), .add(1), ifRevision: .revision(1)), WriteRequest(key("m"), .increment(1)),
      WriteRequest(key("m"), .put("f", 1), strategy: .vector),
      WriteRequest(key("zzz"), .add(1), ifRevision: .revision(3)),
      WriteRequest(key("new2"), .operations([.increment(.max), .increment(1)])),
      WriteRequest(key("dead"), .add(1)), WriteRequest(key("new"), .add("x"), type: .map),
    ][failing]
    writes.append(bad)
    #expect(throws: Refusal.self) { try harness.write(writes, by: "alice") }
    #expect(harness.changes.last == [])
    let after = harness.core.fingerprint
    #expect(after.records == before.records)
    #expect(after.settings == before.settings)
    #expect(after.lastTimestamp == before.lastTimestamp)
    #expect(["c", "s", "m", "r", "dead", "new"].map { harness.reading($0)?.value } == readings.map { $0?.value })
    #expect(["c", "s", "m", "r", "dead", "new"].map { harness.reading($0)?.revision } == readings.map { $0?.revision })
    #expect(harness.keys() == listing)
    // And life goes on as if nothing had been.
    writes.removeLast()
    try harness.write(writes, by: "alice")
    #expect(harness.value("new") == 3)
    #expect(harness.value("dead") == 1)
    #expect(harness.value("c") == "now a register")
    #expect(harness.value("s") == ["a", "c"])
    #expect(harness.value("m") == ["f": 9, "h": 1])
    #expect(harness.value("r") == ["other type"])
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }

  @Test("§4.5 random batches with conditions: all of them or none", arguments: 0..<12)
  func randomBatches(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(500 + seed))
    var harness = CoreHarness()
    var refused = 0
    for _ in 0..<150 {
      let names = ["a", "b", "c", "d"].filter { _ in random.below(2) == 0 }
      if names.isEmpty { continue }
      var holds = true
      var writes: [WriteRequest] = []
      var expected: [String: StateValue?] = [:]
      for name in names {
        let current = harness.reading(name)?.revision ?? 0
        var condition: Revision?
        if random.below(2) == 0 {
          condition = random.below(4) > 0 ? current : Revision(random.below(Int(harness.core.revision) + 1))
          holds = holds && condition == current
        }
        let number = StateValue.int(Int64(random.below(3)))
        let content: WriteRequest.Content = random.below(5) == 0 ? .delete : .assign(number)
        expected[name] = content == .delete ? .some(nil) : .some(number)
        writes.append(WriteRequest(try key(name), content, ifRevision: condition.map { .revision($0) }))
      }
      let before = harness.core.fingerprint.records
      if holds {
        try harness.write(writes, by: "alice")
        for (name, value) in expected { try #require(harness.value(name) == value) }
      } else {
        refused += 1
        #expect(throws: Refusal.self) { try harness.write(writes, by: "alice") }
        try #require(harness.core.fingerprint.records == before)
      }
    }
    #expect(refused > 5)
    #expect(harness.replayed().fingerprint == harness.core.fingerprint)
  }
}
