import MoaiCRDT
import MoaiFlow

/// Requests to the resolver. The first byte chooses the strategy, JSON follows: an array of versions, or an object that
/// has one.
///
/// A version that is read is written so that it is read again. What a resolution says is a version too; it does not
/// depend on the order of the versions, and resolving it with them again changes nothing (rule §3.1).
package enum ResolverTarget: FuzzTarget {
  package static let name = "resolver"
  package static let words = [
    "\"state_key\":", "\"value\":", "\"version\":", "\"timestamp\":", "\"agent_id\":", "\"logical\":",
    "\"vector_clock\":", "\"crdt_type\":", "\"crdt_state\":", "\"siblings\":", "\"metadata\":", "\"versions\":",
    "\"counter\"", "\"set\"", "\"map\"", "\"register\"", "\"vector\":", "\"crdt\":", "\"2025-11-29T10:00:00Z\"",
    "\"resolution_strategy\":", "\"merged_from_agents\":", "coordinator",
  ]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    let strategies: [ResolutionStrategy] = [.lww, .vector, .crdt]
    guard let first = input.first else { return false }
    guard let json = try? JSONParser().parse(Array(input.dropFirst())) else { return false }
    var versions: [StateVersion] = []
    for element in json.arrayValue ?? json["versions"]?.arrayValue ?? [] {
      guard let version = try? StateVersion(json: element) else { return false }
      try Finding.unless((try? StateVersion(json: version.json)) == version, "\(version.json) is read differently")
      versions.append(version)
    }
    let resolver = ConflictResolver(strategy: strategies[Int(first) % strategies.count])
    let resolution: Resolution
    do {
      resolution = try resolver.resolve(versions)
    } catch {
      try Finding.unless(!error.detail.isEmpty, "an error without words")
      return false
    }
    _ = try? resolver.detectConflicts(versions)
    let version = resolution.version
    try Finding.unless((try? StateVersion(json: version.json)) == version, "the result is no version: \(version.json)")
    let resolved = resolution.resolved
    // Metadata is no part of the order of versions: of equal ones the first brings its own.
    let backwards = try? resolver.resolve(versions.reversed()).resolved
    try Finding.unless(
      backwards.map { without("metadata", $0) } == without("metadata", resolved),
      "backwards: \(resolved.json), \(backwards?.json ?? .null)")
    let again = try? resolver.resolve(versions + [version]).resolved
    try Finding.unless(
      again?.value == resolved.value && again?.crdtState == resolved.crdtState,
      "again: \(resolved.json), \(again?.json ?? .null)")
    return true
  }

  private static func without(_ field: UTF8String, _ version: StateVersion) -> StateObject? {
    version.json.objectValue?.removing(field)
  }

  package static func seeds() throws -> [[UInt8]] {
    let plain = #"""
      [{"state_key": "n", "value": 100, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "a",
        "crdt_type": "counter", "vector_clock": {"a": 2}},
       {"state_key": "n", "value": 150, "version": 4, "timestamp": "2025-11-29T10:00:00.25+01:00", "agent_id": "b",
        "logical": 3, "metadata": {"crdt_type": "counter", "note": [1]}},
       {"state_key": "n", "value": 1.5, "version": 0, "timestamp": "2025-11-29T10:00:01Z", "agent_id": "c",
        "vector_clock": {"a": 1, "c": 7}}]
      """#
    let set = #"""
      {"state_key": "s", "versions": [
       {"state_key": "s", "value": ["x", 2], "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "a"},
       {"state_key": "s", "value": [2, "y"], "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "b"}]}
      """#
    let map = #"""
      [{"state_key": "m", "value": {"x": 1}, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "a"},
       {"state_key": "m", "value": {"x": 2, "y": null}, "version": 1, "timestamp": "2024-02-29T00:00:00Z",
        "agent_id": "b"}]
      """#
    var seeds: [[UInt8]] = []
    for text in [plain, set, map] { for strategy in 0..<3 { seeds.append([UInt8(strategy)] + Array(text.utf8)) } }
    // Results of resolutions, which carry their states, beside what they were made of.
    for (strategy, text) in [(1, plain), (2, set), (2, map)] as [(Int, String)] {
      let json = try JSONParser().parse(text)
      let versions = try (json.arrayValue ?? json["versions"]?.arrayValue ?? []).map { try StateVersion(json: $0) }
      let strategies: [ResolutionStrategy] = [.lww, .vector, .crdt]
      let result = try ConflictResolver(strategy: strategies[strategy]).resolve(versions).version
      seeds.append([UInt8(strategy)] + JSONWriter.bytes(.array([result.json, versions[0].json])))
      seeds.append([UInt8(strategy)] + JSONWriter.bytes(.array([result.json, result.json])))
    }
    return seeds
  }
}
