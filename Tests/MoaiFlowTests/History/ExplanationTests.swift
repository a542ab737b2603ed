import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Why a value is what it is.
@Suite(.patience) struct ExplanationTests {
  let bench: SwarmBench
  let swarm: Swarm
  let alice: SwarmMember
  let bob: SwarmMember
  let nobody: Cursor

  init() async throws {
    bench = try await SwarmBench()
    swarm = try await bench.open()
    alice = try await swarm.join(as: "alice")
    bob = try await swarm.join(as: "bob")
    nobody = Cursor(epoch: swarm.epoch, revision: 0)
  }

  private func part(_ key: String, _ part: KeyExplanation.Part) async throws -> KeyExplanation.PartReason {
    try #require(try await swarm.state.explain(key, part: part)?.parts.first)
  }

  @Test("§6.1 each part names who put it there and whom its writer had overwritten")
  func overwritten() async throws {
    try await alice.state.set("m", to: ["a": 1, "b": 1], type: .map)
    try await bob.state.put(2, field: "a", in: "m")
    let explanation = try #require(try await swarm.state.explain("m"))
    #expect(explanation.created?.revision == 1)
    #expect(explanation.created?.agent.name == "alice")
    #expect(explanation.partCount == 2)
    let (a, b) = (explanation.parts[0], explanation.parts[1])
    #expect(a.shown?.value == 2)
    #expect(a.shown?.author.agent.name == "bob")
    #expect(a.shown?.author.revision == 2)
    #expect(a.lostCount == 1)
    #expect(a.lost.first?.source.value == 1)
    #expect(a.lost.first?.rule.code == "overwritten")
    #expect(a.lost.first?.rule.author?.revision == 2)
    #expect(b.shown?.author.revision == 1)
    #expect(b.lost.isEmpty)
  }

  @Test("§6.1 §3.4 a write that had not seen the other and lost by its time is named as such")
  func concurrent() async throws {
    try await alice.state.set("r", to: "a", strategy: .vector)
    try await bob.state.set("r", to: "b", base: nobody)
    let reason = try await part("r", .whole)
    #expect(reason.shown?.value == "b")
    #expect(reason.lost.map(\.rule) == [.earlierTime])
    #expect(reason.lost.first?.source.value == "a")
  }

  @Test("§6.1 §4.2 an add that an unseen remove did not reach says so")
  func addWins() async throws {
    try await alice.state.add("x", to: "s")
    let seen = try #require(try await swarm.state.read("s")).cursor
    try await alice.state.add("x", to: "s")
    try await bob.state.remove("x", from: "s", base: seen)
    let reason = try await part("s", .element("x"))
    #expect(reason.shown?.author.revision == 2)
    #expect(reason.survived.map(\.revision) == [3])
    #expect(reason.survived.first?.agent.name == "bob")
    #expect(reason.lost.map(\.rule.code) == ["overwritten"])
  }

  @Test("§6.1 a part that is gone says who removed it, or which rewind took it back")
  func goneParts() async throws {
    try await alice.state.add("x", to: "s")
    try await alice.state.add("y", to: "s")
    try await bob.state.remove("x", from: "s")
    try await bob.state.rewind(RewindRequest(.revision(.revision(2))))
    let x = try await part("s", .element("x"))
    #expect(x.shown == nil)
    #expect(x.lost.map(\.rule.code) == ["removed"])
    #expect(x.lost.first?.rule.author?.agent.name == "bob")
    let y = try await part("s", .element("y"))
    #expect(y.lost.map(\.rule.code) == ["rewound"])
    #expect(y.lost.first?.rule.author?.revision == 4)
    #expect(try await swarm.state.explain("s")?.parts.isEmpty == true)
  }

  @Test("§6.1 a part that was brought back twice names its first entry and the last rewind")
  func restoredTwice() async throws {
    try await alice.state.set("r", to: 1)
    try await bob.state.set("r", to: 2)
    var last: Revision = 2
    for _ in 0..<5 {
      let report = try await bob.state.rewind(RewindRequest(.revision(.revision(last))))
      last = try #require(report.revision)
    }
    let reason = try await part("r", .whole)
    #expect(reason.shown?.value == 1)
    #expect(reason.shown?.author.revision == 1)
    #expect(reason.shown?.restoredBy == 7)
    #expect(reason.lostCount == 3)
    #expect(reason.lost.allSatisfy { $0.source.value == 2 })
  }

  @Test("§6.1 a counter is explained by its shares and their last entries, rewinds among them")
  func shares() async throws {
    for amount in 1...5 { try await alice.state.increment("c", by: Int64(amount)) }
    try await bob.state.increment("c", by: 100)
    try await bob.state.rewind(RewindRequest(.revision(.revision(5))))
    let explanation = try #require(try await swarm.state.explain("c"))
    #expect(explanation.shares.map(\.agent.name) == ["bob", "alice"])
    #expect(explanation.shares.map(\.share) == [100, 10])
    #expect(explanation.shares[1].entries == 6)
    #expect(explanation.shares[1].last.map(\.amount) == [-5, 5, 4])
    #expect(explanation.shares[1].last.map(\.isRewind) == [true, false, false])
    #expect(explanation.parts.isEmpty)
  }

  @Test("§6.1 an explanation is bounded and counts what it leaves out")
  func bounded() async throws {
    try await alice.state.set("s", to: .array((0..<50).map { .int(Int64($0)) }), type: .set)
    for value in 0..<30 { try await bob.state.put(.int(Int64(value)), field: "f", in: "m") }
    let set = try #require(try await swarm.state.explain("s", limit: 7))
    #expect(set.parts.count == 7)
    #expect(set.partCount == 50)
    let field = try await part("m", .field("f"))
    #expect(field.lost.count == KeyExplanation.lossLimit)
    #expect(field.lostCount == 29)
    #expect(field.lost.first?.source.value == 28)
  }

  @Test("§6.1 a deleted key says who deleted it; a new incarnation does not mix with the old one")
  func incarnations() async throws {
    try await alice.state.add("x", to: "s")
    try await bob.state.delete("s")
    let gone = try #require(try await swarm.state.explain("s"))
    #expect(gone.reading == nil)
    #expect(gone.deleted?.agent.name == "bob")
    try await alice.state.set("s", to: 5)
    let new = try #require(try await swarm.state.explain("s"))
    #expect(new.created?.revision == 3)
    #expect(new.deletions == 1)
    #expect(new.parts.map(\.part) == [.whole])
    #expect(new.parts.first?.lostCount == 0)
  }

  @Test("§6.1 every part that is shown is explained by the write that is shown", arguments: 0..<20)
  func explanationsAgreeWithTheState(seed: Int) async throws {
    var run = try await RewindRun(seed: UInt64(50_000 + seed))
    for step in 0..<50 {
      if step % 7 == 6 { _ = try await run.rewind(try run.randomRequest()) } else { try await run.write() }
    }
    for key in RewindRun.keys {
      var trace = KeyTrace(key, part: nil)
      try await trace.read(run.journal, from: 0, through: run.core.revision)
      guard let reading = run.reading(key) else { continue }
      let found = try #require(trace.explanation(limit: 1_000, horizon: 0))
      let model = run.model.value(of: key)
      if reading.type == .counter {
        let sum: Int64 = found.shares.reduce(0) { $0 + $1.share }
        #expect(reading.value == .int(sum))
      }
      let count = Set(model.writes.map(\.part)).count
      #expect(found.partCount == count)
      for part in found.parts {
        let newest = model.writes.filter { $0.part == part.part.part }.max { $0.revision < $1.revision }
        try #require(part.shown?.value == newest?.value, "seed \(seed), key \(key), \(part.part)")
        try #require(part.shown?.author.revision == newest?.revision, "seed \(seed), key \(key), \(part.part)")
      }
    }
  }
}
