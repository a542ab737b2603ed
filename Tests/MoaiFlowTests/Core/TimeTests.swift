import MoaiCRDT
import Testing

@testable import MoaiFlow

@Suite struct TimeTests {
  @Test("§1.3 a dot is (epoch, revision, index of the operation), and dots ascend with the journal")
  func dotsNameTheirOperation() throws {
    let epoch = Epoch(7)
    let dots = [
      Dot(journal: epoch, revision: 1, operation: 0), Dot(journal: epoch, revision: 1, operation: 65_535),
      Dot(journal: epoch, revision: 2, operation: 0), Dot(journal: epoch, revision: (1 << 47) - 1, operation: 65_535),
    ]
    #expect(Set(dots).count == dots.count)
    #expect(dots == dots.sorted())
    #expect(dots.allSatisfy { $0.replica == epoch.replica })

    var harness = CoreHarness(epoch: 7)
    try harness.write(
      "m", .operations([.put(field: "a", 1), .put(field: "b", 2), .put(field: "c", 3)]), by: "alice")
    try harness.write("m", .put("a", 4))
    let slot = try #require(harness.core.state.keys.slot(of: try StateKey("m")))
    let record = harness.core.state.keys[slot].record
    var all = [record.header.created]
    for field in ["a", "b", "c"] { all += record.writes(of: .field(UTF8String(field))).map(\.dot) }
    #expect(Set(all).count == 4)
    #expect(Set(all.map { $0.number >> 16 }) == [1, 2])
  }

  @Test("§1.6 timestamps ascend with the revisions although the engine's clock goes back")
  func timestampsNeverGoBack() throws {
    var harness = CoreHarness()
    var last = Timestamp(milliseconds: 0)
    for (index, step) in ([0, 5, -1_000, 3, -86_400_000, 0, 0, 2_000] as [Int64]).enumerated() {
      harness.now += step
      try harness.write("r", .assign(.int(Int64(index))))
      let timestamp = try #require(harness.reading("r")?.timestamp)
      #expect(timestamp > last)
      #expect(timestamp.milliseconds >= harness.now)
      last = timestamp
    }
    // The jump of a day back is held, not followed.
    #expect(last.milliseconds - harness.now == 86_400_000 + 1_000 - 2_000 - 3)
  }

  @Test("§1.6 entries of one millisecond count up; a full counter is carried into the milliseconds")
  func entriesOfOneMillisecond() throws {
    var harness = CoreHarness()
    let start = harness.now
    for logical in 0..<3 {
      try harness.write("c", .increment(1))
      #expect(
        harness.reading("c")?.timestamp == Timestamp(milliseconds: start, logical: UInt16(logical)))
    }
    for _ in 3...65_536 { harness.applyFast(.increment(1), to: "c") }
    #expect(harness.reading("c")?.timestamp == Timestamp(milliseconds: start + 1, logical: 0))
  }

  @Test("§1.6 a refused entry takes no timestamp, and one that changes nothing shows none")
  func refusedEntriesTakeNoTimestamp() throws {
    var harness = CoreHarness()
    try harness.write("c", .increment(1))
    let first = try #require(harness.reading("c"))
    #expect(throws: Refusal.self) { try harness.write("c", .add("x")) }
    try harness.write("c", .increment(0))
    #expect(harness.reading("c")?.timestamp == first.timestamp)
    #expect(harness.reading("c")?.revision == 1)
    #expect(harness.core.revision == 3)
  }

  @Test("an engine's clock at the end of time stops no swarm", arguments: [Int64.max, .max - 1, .min, -1])
  func absurdClocks(now: Int64) throws {
    var harness = CoreHarness()
    harness.now = now
    try harness.write("c", .increment(1))
    harness.now = 1_700_000_000_000
    try harness.write("c", .increment(2))
    harness.now = now
    try harness.write("c", .increment(3))
    #expect(harness.value("c") == 6)
    #expect(harness.replayed().chain == harness.core.chain)
  }
}
