import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite struct SnapshotTests {
  struct Example: Sendable {
    let type: CRDTType
    /// (agent, version, milliseconds, value)
    let versions: [(UTF8String, Int64, Int64, StateValue)]
    let view: StateValue
  }

  @Test(
    "§3.7 the examples of the table",
    arguments: [
      Example(type: .counter, versions: [("agent-1", 1, 0, 100), ("agent-2", 1, 0, 150)], view: 250),
      Example(
        type: .counter, versions: [("agent-1", 1, 0, 100), ("agent-2", 1, 0, 150), ("agent-1", 1, 0, 100)], view: 250),
      Example(
        type: .counter, versions: [("agent-1", 1, 0, 100), ("agent-2", 1, 0, 150), ("agent-1", 2, 1, 120)], view: 270),
      Example(
        type: .set, versions: [("agent-1", 1, 0, ["task-1", "task-2"]), ("agent-2", 1, 0, ["task-2", "task-3"])],
        view: ["task-1", "task-2", "task-3"]),
      Example(
        type: .set,
        versions: [
          ("agent-1", 1, 0, ["task-1", "task-2"]), ("agent-2", 1, 0, ["task-2", "task-3"]),
          ("agent-1", 2, 1, ["task-2"]),
        ], view: ["task-2", "task-3"]),
      Example(
        type: .set,
        versions: [
          ("agent-1", 1, 0, ["task-1", "task-2"]), ("agent-2", 1, 0, ["task-1", "task-3"]),
          ("agent-1", 2, 1, ["task-2"]),
        ], view: ["task-1", "task-2", "task-3"]),
      Example(
        type: .map,
        versions: [
          ("agent-1", 1, 0, ["timeout": 30, "retries": 3]), ("agent-2", 1, 1, ["timeout": 60, "max_conn": 100]),
        ],
        view: ["timeout": 60, "retries": 3, "max_conn": 100]),
      Example(
        type: .map,
        versions: [
          ("agent-1", 1, 0, ["timeout": 30, "retries": 3]), ("agent-2", 1, 1, ["timeout": 60]),
          ("agent-1", 2, 2, ["timeout": 5]),
        ], view: ["timeout": 5]),
      Example(type: .register, versions: [("agent-1", 9, 0, 1), ("agent-2", 1, 1, 2)], view: 2),
      Example(type: .register, versions: [("agent-1", 1, 1, 1), ("agent-2", 1, 1, 2)], view: 2),
    ])
  func examplesOfTheTable(example: Example) throws {
    let versions = try example.versions.map {
      try version($0.3, by: $0.0, $0.1, at: $0.2, type: example.type)
    }
    let joined = try resolve(.crdt, versions)
    #expect(joined.value == example.view)
    #expect(joined.agent == "coordinator")
    #expect(joined.timestamp == versions.map(\.timestamp).max())
    #expect(joined.crdtType == example.type)
    #expect(joined.metadata["merged_from_agents"] == ["agent-1", "agent-2"])
    #expect(joined.metadata["inferred"] == nil)
    let stepped = try versions.dropFirst().reduce(versions[0]) { try resolve(.crdt, [wired($0), $1]) }
    #expect(ResolvedFields(stepped) == ResolvedFields(joined))
  }

  @Test(
    "§3.7 without a declared type the values decide, and metadata.inferred says so",
    arguments: [
      ([1, 2.5], 3.5, "counter"), ([[1], [2, 1]], [1, 2], "set"), ([["a": 1], ["b": 2]], ["a": 1, "b": 2], "map"),
      ([1, "x"], "x", "register"), ([true, false], false, "register"), ([1, true], true, "register"),
      ([.null, .null], .null, "register"), ([[1], ["a": 1]], ["a": 1], "register"),
    ] as [([StateValue], StateValue, StateValue)])
  func typesAreInferred(values: [StateValue], view: StateValue, type: StateValue) throws {
    let joined = try resolve(
      .crdt,
      values.enumerated().map { try version($0.element, by: UTF8String("agent-\($0.offset)"), at: Int64($0.offset)) })
    #expect(joined.value == view)
    #expect(joined.metadata["inferred"] == type)
    #expect(joined.crdtType == nil)
  }

  @Test("§3.7 an inferred type is no declaration: a later value may change it")
  func inferenceIsNotSticky() throws {
    let numbers = try resolve(.crdt, [version(1, by: "a"), version(2, by: "b")])
    let all = try resolve(.crdt, [numbers, version("x", by: "c", at: 5)])
    #expect(all.value == "x")
    #expect(all.metadata["inferred"] == "register")
    let declared = try resolve(.crdt, [numbers, version(3, by: "c", type: .counter)])
    #expect(declared.value == 6)
    #expect(declared.crdtType == .counter)
  }

  @Test("§3.7 of one agent the greatest snapshot by version, timestamp, canonical value counts")
  func newestSnapshotOfAnAgentCounts() throws {
    let other = try version(1000, by: "b", type: .counter)
    let ascending = [(1, 9, 1), (2, 0, 5), (2, 1, 10), (2, 1, 9)] as [(Int64, Int64, StateValue)]
    let versions = try ascending.map { try version($0.2, by: "a", $0.0, at: $0.1, type: .counter) }
    for index in versions.indices {
      let joined = try resolve(.crdt, versions[...index].reversed() + [other])
      #expect(joined.value == .int(1000 + (versions[index].value.intValue ?? 0)))
      #expect(joined.metadata["discarded"]?.arrayValue?.count ?? 0 == min(index, 2))
    }
  }

  @Test(
    "§3.7 integers are summed exactly, with doubles the exact sum is rounded once",
    arguments: [
      ([.int(.max), 1, -1], .int(.max)), ([.int(.max), .int(.max), .int(.min), .int(.min)], -2),
      ([0.1, 0.2], 0.30000000000000004),
      ([1e100, 1, -1e100], 1.0), ([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 1.0),
      ([.int(.max), 1, 0.0], 0x1p63),
      ([9_007_199_254_740_993, 0.5], 9_007_199_254_740_994.0), ([9_007_199_254_740_992, 1.0], 9_007_199_254_740_992.0),
      ([9_007_199_254_740_992, 1.0, 5e-324], 9_007_199_254_740_994.0), ([1.7e308, 1.7e308, -1.7e308], 1.7e308),
      ([5e-324, -5e-324], 0.0), ([5e-324, 5e-324], 1e-323), ([2.5, -2.5, 3], 3.0), ([-1, 0.25], -0.75),
    ] as [([StateValue], StateValue)])
  func sumsAreExact(values: [StateValue], sum: StateValue) throws {
    for order in [values, values.reversed()] {
      let versions = try order.enumerated().map {
        try version($0.element, by: UTF8String("agent-\($0.offset)"), type: .counter)
      }
      #expect(try resolve(.crdt, versions).value == sum)
    }
  }

  @Test("§3.7 a sum of doubles that cancel is what is left", arguments: 0..<20)
  func cancellingSumsLeaveTheRest(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var numbers: [Double] = []
    while numbers.count < 40 {
      let number = Double(bitPattern: random.next())
      if number.isFinite, number.magnitude < 1e300 { numbers += [number, -number] }
    }
    let rest = Double(Int64(bitPattern: random.next())) * 0x1p-40
    let versions = try (numbers + [rest]).shuffled(using: &random).enumerated().map {
      try version(.double($0.element), by: UTF8String("agent-\($0.offset)"), type: .counter)
    }
    #expect(try resolve(.crdt, versions).value == .double(rest))
  }

  @Test(
    "§3.3 a sum outside Int64, or outside the doubles, is an error",
    arguments: [[.int(.max), 1], [.int(.min), -1], [1.7e308, 1.7e308], [-1.7e308, -1.7e308, 1]] as [[StateValue]])
  func sumsOutOfRangeAreRefused(values: [StateValue]) throws {
    let versions = try values.enumerated().map {
      try version($0.element, by: UTF8String("agent-\($0.offset)"), type: .counter)
    }
    let error = #expect(throws: ResolutionError.self) { try resolve(.crdt, versions) }
    #expect(error?.reason == .sumOutOfRange)
  }

  @Test("§3.3 a value that is not the view of its crdt_state is refused")
  func stateIsChecked() throws {
    let joined = try resolve(.crdt, [version(1, by: "a", at: 5, type: .counter), version(2, by: "b", type: .counter)])
    guard case .object(let good) = joined.json else { return }
    for (field, wrong) in [
      ("value", 4), ("value", 3.0), ("agent_id", "a"), ("timestamp", "1970-01-01T00:00:00Z"),
      ("vector_clock", ["a": 2]),
      ("siblings", [1]), ("crdt_type", "set"), ("crdt_type", "register"), ("crdt_state", ["crdt": [:]]),
      ("crdt_state", ["crdt": ["coordinator": ["value": 3, "version": 1, "timestamp": "1970-01-01T00:00:00.005Z"]]]),
      ("crdt_state", ["crdt": ["a": ["value": "3", "version": 1, "timestamp": "1970-01-01T00:00:00.005Z"]]]),
      ("crdt_state", ["crdt": ["a": ["value": 3, "version": -1, "timestamp": "1970-01-01T00:00:00.005Z"]]]),
      ("crdt_state", ["crdt": ["a": ["value": 3, "timestamp": "1970-01-01T00:00:00.005Z"]]]),
    ] as [(UTF8String, StateValue)] {
      #expect(throws: StateVersionError.self, "\(field) \(wrong)") {
        try StateVersion(json: .object(good.setting(field, to: wrong)))
      }
    }
  }
}
