import MoaiCRDT
import MoaiFlowTesting
import Testing

@Suite("§1.4 vector clock") struct VectorClockTests {
  typealias Clock = VectorClock<UTF8String>

  @Test(
    "§1.4 compare answers equal, before, after, concurrent",
    arguments: [
      ([:], [:], CausalOrder.equal),
      (["a": 1], ["a": 1], .equal),
      ([:], ["a": 1], .before),
      (["a": 1], ["a": 2], .before),
      (["a": 1], ["a": 1, "b": 1], .before),
      (["b": 2], ["b": 1], .after),
      (["a": 1, "b": 1], ["b": 1], .after),
      (["a": 1], ["b": 1], .concurrent),
      (["a": 2, "b": 1], ["a": 1, "b": 2], .concurrent),
      (["a": 2, "c": 1], ["a": 1, "b": 2, "c": 1], .concurrent),
    ] as [([UTF8String: UInt64], [UTF8String: UInt64], CausalOrder)])
  func compares(_ left: [UTF8String: UInt64], _ right: [UTF8String: UInt64], _ order: CausalOrder) {
    #expect(clock(left).compare(to: clock(right)) == order)
  }

  @Test("§1.4 an entry of 0 is absent, and of a repeated writer the greatest number counts")
  func dropsZerosAndRepeats() {
    let built = Clock([("b", 2), ("a", 0), ("b", 5), ("c", 1), ("b", 3)])
    #expect(built.checkInvariants() == [])
    #expect(built == clock(["b": 5, "c": 1]))
    #expect(built["a"] == 0)
    var raised = built
    raised.raise("a", to: 0)
    #expect(raised == built)
    raised.raise("b", to: 4)
    #expect(raised == built)
    #expect(Clock([("a", 0)]).isEmpty)
  }

  @Test("§1.4 comparing and joining agree with dictionaries", arguments: UInt64(1)...200)
  func agreesWithDictionaries(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let left = dictionary(&generator)
    let right = dictionary(&generator)
    let joined = clock(left).merging(clock(right))
    #expect(joined.checkInvariants() == [])
    #expect(joined == clock(left.merging(right) { max($0, $1) }))
    let ids = Set(left.keys).union(right.keys)
    let leftCovers = ids.allSatisfy { (left[$0] ?? 0) >= (right[$0] ?? 0) }
    let rightCovers = ids.allSatisfy { (right[$0] ?? 0) >= (left[$0] ?? 0) }
    #expect(clock(left).covers(clock(right)) == leftCovers)
    let order: CausalOrder =
      switch (leftCovers, rightCovers) {
      case (true, true): .equal
      case (true, false): .after
      case (false, true): .before
      case (false, false): .concurrent
      }
    #expect(clock(left).compare(to: clock(right)) == order)
    for id in ids { #expect(joined[id] == max(left[id] ?? 0, right[id] ?? 0)) }
  }

  @Test("§1.2 writers are told apart by their bytes, not by what they look like")
  func keepsCanonicalEquivalentsApart() {
    let nfc = Clock([("\u{E9}", 1)])
    let nfd = Clock([("e\u{301}", 1)])
    #expect(nfc.compare(to: nfd) == .concurrent)
    #expect(nfc.merging(nfd).count == 2)
  }

  func clock(_ entries: [UTF8String: UInt64]) -> Clock { Clock(entries.map { ($0.key, $0.value) }) }

  func dictionary(_ generator: inout SplitMix64) -> [UTF8String: UInt64] {
    var entries: [UTF8String: UInt64] = [:]
    for _ in 0..<generator.below(6) {
      entries[UTF8String("agent-with-a-long-name-\(generator.below(6))")] = UInt64(1 + generator.below(3))
    }
    return entries
  }
}
