import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

@Suite struct SettingsTests {
  @Test(
    "limits outside of what may be set are refused, and the journal can be read again",
    arguments: [
      SwarmLimits(valueBytes: 0), SwarmLimits(valueBytes: -1), SwarmLimits(valueBytes: .min),
      SwarmLimits(valueBytes: SwarmLimits.maximumValueBytes + 1), SwarmLimits(valueBytes: 3_000_000_000),
      SwarmLimits(valueBytes: .max), SwarmLimits(siblings: 0), SwarmLimits(siblings: -5), SwarmLimits(siblings: 4097),
      SwarmLimits(siblings: .max),
    ])
  func limitsOutOfRange(limits: SwarmLimits) async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let told = await swarmError { try await swarm.replaceSettings(SwarmSettings(limits: limits)) }
    let name = limits.siblings == 64 ? "value_bytes" : "siblings"
    #expect(told?.description.contains(name) == true, "told \(String(describing: told))")
    #expect(try await swarm.settings().settings == SwarmSettings())
    let reopened = try await bench.open()
    #expect(try await reopened.settings().settings == SwarmSettings())
  }

  @Test("too many policies are refused")
  func tooManyPolicies() async throws {
    let swarm = try await SwarmBench().open()
    let policies = Array(repeating: KeyPolicy(pattern: GlobPattern("*")), count: SettingsTable.policyLimit + 1)
    await #expect(throws: SwarmError.self) { try await swarm.replaceSettings(SwarmSettings(policies: policies)) }
    #expect(try await swarm.settings().settings.policies == [])
  }

  @Test("settings hold from their entry on, and after reopening")
  func settingsAreEntries() async throws {
    let bench = try await SwarmBench()
    let swarm = try await bench.open()
    let settings = SwarmSettings(
      policies: [KeyPolicy(pattern: GlobPattern("n/*"), type: .counter, writers: [GlobPattern("a*")])],
      limits: SwarmLimits(valueBytes: 99, siblings: 2))
    #expect(try await swarm.replaceSettings(settings) == 1)
    for swarm in [swarm, try await bench.open()] {
      let (found, _) = try await swarm.settings()
      #expect(found == settings)
    }
    try await swarm.close()
    #expect(try await bench.open().settings().settings == settings)
  }
}
