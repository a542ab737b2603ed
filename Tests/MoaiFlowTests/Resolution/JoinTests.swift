import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

/// Rule §3.1 by random versions from few agents, few clocks and few values, so that ties, repeats and dominance are
/// frequent.
@Suite struct JoinTests {
  @Test("§3.1 any order, repeats and steps give the same", arguments: ["lww", "vector", "crdt"], 0..<50)
  func stepsGiveWhatOneCallGives(name: String, seed: UInt64) throws {
    guard let strategy = ResolutionStrategy(name: name) else { return }
    var random = SplitMix64(seed: seed)
    for _ in 0..<8 {
      let versions = try (0..<1 + random.below(5)).map { _ in try randomVersion(&random, declared: seed % 3 == 0) }
      guard let atOnce = try? resolve(strategy, versions) else { continue }
      for _ in 0..<4 {
        let repeated = (versions + versions.filter { _ in random.below(2) == 0 }).shuffled(using: &random)
        #expect(try ResolvedFields(resolve(strategy, repeated)) == ResolvedFields(atOnce))
        if let stepped = try? inSteps(strategy, repeated, &random) {
          #expect(ResolvedFields(stepped) == ResolvedFields(atOnce), "\(versions.map(\.json))")
        }
      }
      #expect(try ResolvedFields(resolve(strategy, versions + [wired(atOnce)])) == ResolvedFields(atOnce))
      #expect(try wired(atOnce) == atOnce)
    }
  }

  @Test("§3.1 if the join is an input's state, that input is returned, every field but metadata unchanged")
  func anEqualInputIsReturned() throws {
    let own = try version(["x"], by: "a", 5, at: 10, clock: ["a": 5, "b": 1], type: .set, metadata: ["note": "mine"])
    let older = try version(["y"], by: "a", 4, at: 9, clock: ["a": 4], type: .set)
    for strategy in [ResolutionStrategy.lww, .vector, .crdt] {
      let resolution = try ConflictResolver(strategy: strategy).resolve([older, own, older], for: "k")
      #expect(resolution.inputIndex == 1)
      #expect(resolution.resolved == own)
      #expect(resolution.version.metadata["note"] == "mine")
      #expect(resolution.version.version == 5)
    }
    let joined = try resolve(.crdt, [own, version(["z"], by: "b", 9)])
    #expect(joined.version == 10)
    #expect(try resolve(.crdt, [own, joined, older]).version == 10)
  }

  @Test("§3.3 one version resolves to itself")
  func oneVersionIsReturned() throws {
    for strategy in [ResolutionStrategy.lww, .vector, .crdt] {
      for only in [try version([2, 1, 2], type: .set), try version("x"), try version(1, clock: [:])] {
        let resolution = try ConflictResolver(strategy: strategy).resolve([only], for: "k")
        #expect(resolution.resolved == only)
      }
    }
  }

  private func inSteps(
    _ strategy: ResolutionStrategy, _ versions: [StateVersion], _ random: inout SplitMix64
  ) throws -> StateVersion {
    var rest = versions
    while rest.count > 1 {
      let size = min(rest.count, 2 + random.below(2))
      let step = try resolve(strategy, Array(rest[..<size]))
      rest = Array(rest[size...]) + [random.below(2) == 0 ? step : try wired(step)]
      rest.shuffle(using: &random)
    }
    return try resolve(strategy, rest)
  }

  private func randomVersion(_ random: inout SplitMix64, declared: Bool) throws -> StateVersion {
    let values: [StateValue] = [1, 2, 0.5, "x", ["x", 1], [1], ["a": 1], ["a": 2, "b": .null], true, .null]
    let agents: [UTF8String] = ["a", "b", "c"]
    var clock: [UTF8String: UInt64]?
    if random.below(4) > 0 {
      clock = [:]
      for agent in agents { clock?[agent] = UInt64(random.below(3)) }
    }
    let value = values[random.below(declared ? 3 : values.count)]
    let type: CRDTType? = random.below(4) > 0 ? nil : declared ? .counter : .register
    return try version(
      value, by: agents[random.below(3)], Int64(random.below(3)), at: Int64(random.below(3)) * 1000, clock: clock,
      type: type, metadata: random.below(2) == 0 ? ["n": .int(Int64(random.below(3)))] : .empty)
  }
}
