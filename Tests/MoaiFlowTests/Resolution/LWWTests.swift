import MoaiCRDT
import MoaiFlow
import Testing

@Suite struct LWWTests {
  @Test("§3.4 the order is timestamp, agent, version, canonical value, the rest; §3.5 the greatest wins, unchanged")
  func everyPartOfTheOrderDecides() throws {
    let ascending = [
      try version("z", by: "z", 9, at: 1, clock: ["a": 9]),
      try version("z", by: "z", 9, at: 2),
      try version("z", by: "a", 9, at: 2, logical: 1),
      try version("z", by: "b", 1, at: 2, logical: 1),
      try version(10, by: "b", 2, at: 2, logical: 1),
      try version(9, by: "b", 2, at: 2, logical: 1, type: .counter),
      try version(9, by: "b", 2, at: 2, logical: 1),
    ]
    for (index, winner) in ascending.enumerated() {
      for loser in ascending[..<index] {
        for versions in [[loser, winner], [winner, loser], [loser, winner, loser]] {
          let resolution = try ConflictResolver(strategy: .lww).resolve(versions, for: "k")
          #expect(resolution.resolved == winner)
          #expect(resolution.rule.name == "lww")
        }
      }
    }
  }

  @Test("§1.2 agents are ordered by bytes")
  func agentsAreOrderedByBytes() throws {
    let composed = try version(1, by: "\u{E9}")
    let decomposed = try version(2, by: "e\u{301}")
    #expect(try resolve(.lww, [composed, decomposed]).value == 1)
    #expect(try resolve(.crdt, [composed, decomposed]).value == 3)
  }

  @Test("§3.4 skew_ms says that the winner is ahead of all others by more than the drift bound")
  func skewIsReported() throws {
    let old = try version(1, at: 0)
    let second = try version(2, by: "b", at: 1_000)
    let ahead = try version(3, by: "c", at: 61_001)
    #expect(try resolve(.lww, [old, second, ahead, ahead]).metadata["skew_ms"] == 60_001)
    #expect(try resolve(.lww, [old, second, version(3, by: "c", at: 61_000)]).metadata["skew_ms"] == nil)
    #expect(try resolve(.lww, [ahead]).metadata["skew_ms"] == nil)
    #expect(try resolve(.vector, [second, ahead]).metadata["skew_ms"] == 60_001)
    #expect(try resolve(.vector, [old, version(2, at: 90_000, clock: ["a": 9])]).metadata["skew_ms"] == nil)
    let strict = ConflictResolver(strategy: .lww, driftBound: 10)
    #expect(try strict.resolve([old, version(2, at: 11)], for: "k").skew == 11)
  }

  @Test("§3.2 discarded says whose and by which rule")
  func losersAreNamed() throws {
    let metadata = try resolve(
      .lww, [version(1, at: 5), version(2, by: "b", at: 5), version(3, at: 1), version(3, at: 1)]
    ).metadata
    #expect(
      metadata["discarded"] == [
        ["agent_id": "a", "rule": "agent_id", "version": 1], ["agent_id": "a", "rule": "timestamp", "version": 1],
      ])
    #expect(metadata["resolution_strategy"] == "lww")
    #expect(metadata["merged_from_agents"] == nil)
    #expect(metadata["resolved_at"] == nil)
  }

  @Test("§3.2 an earlier report is replaced, the input's own metadata kept, resolved_at is the caller's")
  func metadataIsThisCalls() throws {
    let own: StateObject = [
      "note": "n", "resolved_at": "x", "skew_ms": 5, "discarded": [], "inferred": "set", "merged_from_agents": ["x"],
    ]
    let resolution = try ConflictResolver(strategy: .lww).resolve(
      [version(1, metadata: own)], for: "k", at: Timestamp(milliseconds: 7))
    #expect(
      resolution.metadata == [
        "note": "n", "resolved_at": "1970-01-01T00:00:00.007Z", "resolution_strategy": "lww",
        "merged_from_agents": ["x"],
      ])
  }
}
