import MoaiCRDT
import MoaiFlow

/// The three strategies of the stateless resolver on the same conflict.
struct DemoStrategies {
  func run(_ stage: DemoStage, _ ledger: DemoLedger) throws {
    stage.scene("Three strategies on the same conflict: agent-1 says 100, agent-2 says 150")
    let key = try StateKey("counter")
    let versions = [
      try version(100, of: key, by: "agent-1", at: 1_764_410_400_000, clock: [("agent-1", 2), ("agent-2", 1)]),
      try version(150, of: key, by: "agent-2", at: 1_764_410_401_000, clock: [("agent-1", 1), ("agent-2", 2)]),
    ]
    for (name, strategy) in [("lww", ResolutionStrategy.lww), ("vector", .vector), ("crdt", .crdt)] {
      let resolution = try ConflictResolver(strategy: strategy).resolve(versions, for: "counter")
      let siblings = resolution.version.siblings.map { JSONWriter.text($0.value) }.joined(separator: ", ")
      stage.line(
        "\(name)",
        JSONWriter.text(resolution.value) + " by \(resolution.rule.name)"
          + (siblings.isEmpty ? "" : ", sibling \(siblings)"))
      ledger.check("strategy \(name)", resolution.value, equals: name == "crdt" ? 250 : 150)
    }
  }

  private func version(
    _ value: StateValue, of key: StateKey, by agent: UTF8String, at milliseconds: Int64, clock: [(UTF8String, UInt64)]
  ) throws -> StateVersion {
    try StateVersion(
      key: key, value: value, version: 1, timestamp: Timestamp(milliseconds: milliseconds), agent: agent,
      vectorClock: VectorClock(clock), crdtType: .counter)
  }
}
