import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

/// The inputs of the resolver's benchmarks must give the winners that every other implementation found.
@Suite struct WorkloadTests {
  @Test("§3.5 the checksum of workload W1", arguments: [(3, 50_543), (100, 50_302)] as [(Int, Int64)])
  func newestWins(versions: Int, checksum: Int64) throws {
    let resolver = ConflictResolver(strategy: .lww)
    let winners = try workload(seed: 1, versions: versions, entries: 0).map {
      try resolver.resolve($0, for: $0[0].key.name.string).resolved.version
    }
    #expect(winners.reduce(0, +) == checksum)
  }

  @Test(
    "§3.6 the checksum of workload W2",
    arguments: [(3, 8, 49_558, 501), (16, 64, 51_606, 500)] as [(Int, Int, Int64, Int)])
  func causalityDecides(versions: Int, entries: Int, checksum: Int64, causal: Int) throws {
    let resolver = ConflictResolver(strategy: .vector)
    let resolutions = try workload(seed: 2, versions: versions, entries: entries).map {
      try resolver.resolve($0, for: $0[0].key.name.string)
    }
    let shown = resolutions.map { resolution in
      if case .vector(let state) = resolution.resolved.crdtState {
        state.elements[0].version
      } else {
        resolution.resolved.version
      }
    }
    #expect(shown.reduce(0, +) == checksum)
    #expect(resolutions.filter { $0.rule == .vectorCausal }.count == causal)
  }

  private func workload(seed: UInt64, versions: Int, entries: Int) throws -> [[StateVersion]] {
    var random = SplitMix64(seed: seed)
    let agents = (0..<max(versions, entries)).map { number in
      UTF8String("agent-" + String(String(10_000 + number).dropFirst()))
    }
    return try (0..<1000).map { set in
      var rows: [(clock: [UInt64], milliseconds: Int64, version: Int64)] = (0..<versions).map { _ in
        let clock = (0..<entries).map { _ in UInt64(1 + random.below(100)) }
        let milliseconds = 1_700_000_000_000 + Int64(random.below(1_000_000))
        return (clock, milliseconds, Int64(1 + random.below(100)))
      }
      if set % 2 == 0, entries > 0 {
        rows[versions - 1].clock = (0..<entries).map { entry in rows.map { $0.clock[entry] }.max() ?? 0 }
        rows[versions - 1].clock[(versions - 1) % entries] += 1
      }
      return try rows.enumerated().map { place, row in
        try StateVersion(
          key: StateKey("state/\(set)"), value: StateValue("value-\(set)-\(place)"), version: row.version,
          timestamp: Timestamp(milliseconds: row.milliseconds), agent: agents[place],
          vectorClock: entries == 0 ? nil : VectorClock(zip(agents, row.clock)))
      }
    }
  }
}
