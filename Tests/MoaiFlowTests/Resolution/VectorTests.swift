import MoaiCRDT
import MoaiFlow
import Testing

@Suite struct VectorTests {
  @Test("§3.6 a write that has seen the others replaces them")
  func causalityDecidesBeforeTime() throws {
    let base = try version("base", by: "a", 1, at: 100, clock: ["a": 1])
    let next = try version("next", by: "b", 2, at: 50, clock: ["a": 1, "b": 1])
    let resolved = try resolve(.vector, [next, base])
    #expect(resolved.value == "next")
    #expect(resolved.metadata["resolution_strategy"] == "vector_causal")
    #expect(resolved.metadata["discarded"] == [["agent_id": "a", "rule": "vector_clock", "version": 1]])
    #expect(resolved.crdtState == nil)
  }

  @Test("§3.6 of concurrent writes the newest is shown, the others are siblings, the clock is the join")
  func concurrentWritesBecomeSiblings() throws {
    let left = try version("left", by: "a", 3, at: 1, clock: ["a": 3, "b": 1])
    let right = try version("right", by: "b", 2, at: 2, clock: ["b": 2])
    let old = try version("old", by: "b", 1, at: 9, clock: ["b": 1])
    let joined = try resolve(.vector, [left, old, right])
    #expect(joined.value == "right")
    #expect(joined.agent == "b")
    #expect(joined.version == 4)
    #expect(joined.vectorClock == VectorClock([("a", 3), ("b", 2)]))
    #expect(joined.siblings.map(\.value) == ["left"])
    #expect(joined.metadata["resolution_strategy"] == "vector_concurrent_lww")
    #expect(joined.metadata["merged_from_agents"] == ["a", "b"])

    let seen = try version("seen", by: "c", 1, at: 0, clock: ["a": 3, "b": 2, "c": 1])
    #expect(try resolve(.vector, [joined, seen]).resolvedEquals(seen))
    let afterLeft = try version("after left", by: "a", 4, at: 0, clock: ["a": 4, "b": 1])
    let again = try resolve(.vector, [joined, afterLeft])
    #expect(again.value == "right")
    #expect(again.siblings.map(\.value) == ["after left"])
  }

  @Test("§3.6 an absent or empty clock is {agent: version + 1}")
  func absentClocksAreImplied() throws {
    for clock in [nil, [:], ["z": 0]] as [[UTF8String: UInt64]?] {
      let silent = try version("silent", by: "a", 4, at: 9, clock: clock)
      #expect(try resolve(.vector, [silent, version("x", by: "b", clock: ["a": 5, "b": 1])]).value == "x")
      #expect(try resolve(.vector, [silent, version("x", by: "b", clock: ["a": 4])]).value == "silent")
      #expect(try resolve(.vector, [silent, version("x", by: "a", 3, at: 99)]).value == "silent")
      #expect(try resolve(.vector, [silent, version("x", by: "b", 1, at: 1)]).siblings.count == 1)
    }
    let last = try version(1, by: "a", StateVersion.maxVersion)
    #expect(throws: ResolutionError.self) { try resolve(.vector, [last, version(2, by: "b")]) }
  }

  @Test("§3.6 equal clocks: one write if the values are equal, two if not; each with its greatest stamp")
  func equalClocksAreComparedByValue() throws {
    let first = try version("v", by: "a", 1, at: 1, clock: ["x": 1])
    let second = try version("v", by: "b", 0, at: 1, clock: ["x": 1])
    #expect(try resolve(.vector, [first, second]).resolvedEquals(second))
    let other = try version("w", by: "a", 1, at: 5, clock: ["x": 1])
    let joined = try resolve(.vector, [first, second, other])
    #expect(joined.value == "w")
    #expect(joined.siblings.map(\.agent) == ["b"])
  }

  @Test("§3.3 a value, clock, sibling or stamp that is not the view of its crdt_state is refused")
  func stateIsChecked() throws {
    let joined = try resolve(.vector, [version(1, by: "a", at: 5), version(2, by: "b", at: 4)])
    guard case .object(let good) = joined.json else { return }
    #expect(try StateVersion(json: .object(good.removing("siblings"))) == joined)
    for (field, wrong) in [
      ("value", 2), ("agent_id", "b"), ("timestamp", "2025-11-29T10:00:00Z"), ("vector_clock", ["a": 2]),
      ("siblings", []), ("crdt_type", "counter"), ("crdt_state", ["vector": []]), ("logical", 3),
    ] as [(UTF8String, StateValue)] {
      #expect(throws: StateVersionError.self, "\(field)") {
        try StateVersion(json: .object(good.setting(field, to: wrong)))
      }
    }
    let writes = try #require(joined.json["crdt_state"]?["vector"]?.arrayValue)
    for damaged in [
      [], [writes[0]], [writes[1], writes[0]], [writes[0], writes[0]], [writes[0], 1],
      [writes[0], .object(try #require(writes[1].objectValue).setting("vector_clock", to: [:]))],
      [writes[0], .object(try #require(writes[1].objectValue).setting("vector_clock", to: ["a": 1]))],
      [writes[0], .object(try #require(writes[1].objectValue).setting("more", to: 1))],
      [writes[0], .object(try #require(writes[1].objectValue).removing("value"))],
    ] as [[StateValue]] {
      #expect(throws: StateVersionError.self) {
        try StateVersion(json: .object(good.setting("crdt_state", to: ["vector": .array(damaged)])))
      }
    }
  }
}

extension StateVersion {
  /// Equal in every field but metadata.
  func resolvedEquals(_ other: StateVersion) -> Bool {
    func bare(_ version: StateVersion) -> StateObject? { version.json.objectValue?.removing("metadata") }
    return bare(self) == bare(other)
  }
}
