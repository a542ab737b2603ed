import MoaiCRDT
import MoaiFlow
import Testing

@Suite struct DetectionTests {
  @Test("§3.9 for lww and vector: more than one undominated write with different values", arguments: ["lww", "vector"])
  func concurrentDifferentValuesAreAConflict(name: String) throws {
    let resolver = ConflictResolver(strategy: try #require(ResolutionStrategy(name: name)))
    let versions = [
      try version(1, by: "a", clock: ["a": 1], key: "concurrent"),
      try version(2, by: "b", clock: ["b": 1], key: "concurrent"),
      try version(1, by: "a", clock: ["a": 1], key: "equal"), try version(1, by: "b", clock: ["b": 1], key: "equal"),
      try version(1, by: "a", clock: ["a": 1], key: "causal"),
      try version(2, by: "b", clock: ["a": 1, "b": 1], key: "causal"),
      try version(1, by: "a", key: "b, no clocks"), try version(2, by: "b", key: "b, no clocks"),
      try version(1, key: "alone"),
    ]
    #expect(try resolver.detectConflicts(versions).map(\.name.string) == ["b, no clocks", "concurrent"])
    #expect(try resolver.detectConflicts(versions.reversed()).map(\.name.string) == ["b, no clocks", "concurrent"])
    #expect(try resolver.detectConflicts([]).isEmpty)
  }

  @Test("§3.9 for crdt: more than one contributing agent with different contributions")
  func differentContributionsAreAConflict() throws {
    let resolver = ConflictResolver(strategy: .crdt)
    let versions = [
      try version(1, by: "a", key: "differ"), try version(2, by: "b", key: "differ"),
      try version(1, by: "a", key: "equal"),
      try version(1, by: "b", key: "equal"), try version(1, by: "a", 1, key: "one agent"),
      try version(2, by: "a", 2, key: "one agent"),
    ]
    #expect(try resolver.detectConflicts(versions).map(\.name.string) == ["differ"])
    let refused = #expect(throws: ResolutionError.self) {
      try resolver.detectConflicts(versions + [version(1, by: "coordinator", key: "equal")])
    }
    #expect(refused?.field.text == "/6/agent_id")
  }
}
