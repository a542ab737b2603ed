import MoaiCRDT
import MoaiFlowTesting
import Testing

@Suite("§1.4 causal context") struct CausalContextTests {
  let a = ReplicaID(1)
  let b = ReplicaID(2)

  @Test("§1.4 a filled gap becomes part of the clock")
  func compactsWhenAGapFills() {
    var context = CausalContext([Dot(a, 1), Dot(a, 3), Dot(b, 2)])
    #expect(context.clock == clock([(a, 1)]))
    #expect(context.ranges.count == 3)
    context.insert(Dot(a, 2))
    #expect(context.clock == clock([(a, 3)]))
    context.insert(Dot(b, 1))
    #expect(context.clock == clock([(a, 3), (b, 2)]))
    #expect(context.ranges == [DotRange(a, 1, 3), DotRange(b, 1, 2)])
  }

  @Test("§1.3 the next write of a replica is behind all that was seen of it, gaps or not")
  func givesTheNextDot() {
    #expect(CausalContext().next(for: a) == Dot(a, 1))
    #expect(CausalContext([Dot(a, 1), Dot(a, 7)]).next(for: a) == Dot(a, 8))
    #expect(CausalContext([Dot(a, 1)]).next(for: b) == Dot(b, 1))
    #expect(CausalContext([Dot(b, 1)]).next(for: a) == Dot(a, 1))
    #expect(CausalContext([Dot(a, .max)]).next(for: a) == nil)
  }

  @Test("§1.4 a context is a set of dots", arguments: UInt64(1)...200)
  func agreesWithSets(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    let left = dots(&generator)
    let right = dots(&generator)
    let l = CausalContext(left)
    let r = CausalContext(right)
    let joined = l.merging(r)
    let rest = l.subtracting(r)
    for context in [l, r, joined, rest] { #expect(context.checkInvariants() == []) }
    for replica in [a, b, ReplicaID(3)] {
      for number in UInt64(1)...14 {
        let dot = Dot(replica, number)
        #expect(l.contains(dot) == left.contains(dot))
        #expect(joined.contains(dot) == left.union(right).contains(dot))
        #expect(rest.contains(dot) == left.subtracting(right).contains(dot))
      }
    }
    #expect(joined == CausalContext(left.union(right)))
    #expect(rest == CausalContext(left.subtracting(right)))
    #expect(l.covers(r) == right.isSubset(of: left))
    #expect(r.isSubset(of: joined))
    #expect(l.compare(to: r) == (left == right ? .equal : order(left, right)))
    let withoutGaps = left.filter { dot in (1...dot.number).allSatisfy { left.contains(Dot(dot.replica, $0)) } }
    #expect(l.clock == clock(withoutGaps.map { ($0.replica, $0.number) }))
  }

  @Test("§1.4 ranges up to the last possible number join and subtract without overflow")
  func survivesTheLastNumber() {
    var context = CausalContext([Dot(a, .max)])
    context.insert(DotRange(a, .max - 3, .max - 1))
    #expect(context.ranges == [DotRange(a, .max - 3, .max)])
    #expect(context.merging(CausalContext([Dot(a, 1)])).ranges.count == 2)
    #expect(context.subtracting(CausalContext([Dot(a, .max)])).ranges == [DotRange(a, .max - 3, .max - 1)])
    #expect(context.subtracting(context).isEmpty)
  }

  func clock(_ entries: [(ReplicaID, UInt64)]) -> VectorClock<ReplicaID> { VectorClock(entries) }

  func order(_ left: Set<Dot>, _ right: Set<Dot>) -> CausalOrder {
    left.isSubset(of: right) ? .before : right.isSubset(of: left) ? .after : .concurrent
  }

  /// Few numbers of three replicas, so that ranges touch; sometimes so many that the linear join runs.
  func dots(_ generator: inout SplitMix64) -> Set<Dot> {
    let count = generator.below(24)
    return Set((0..<count).map { _ in Dot(ReplicaID(UInt64(1 + generator.below(3))), UInt64(1 + generator.below(12))) })
  }
}
