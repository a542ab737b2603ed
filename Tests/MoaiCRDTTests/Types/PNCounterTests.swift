import MoaiCRDT
import MoaiFlowTesting
import Testing

@Suite("§4.2 PNCounter") struct PNCounterTests {
  let a = ReplicaID(1)
  let b = ReplicaID(2)

  @Test("§4.2 an operation whose result leaves Int64 is refused, and changes nothing")
  func refusesOverflow() throws {
    var counter = PNCounter()
    try counter.add(.max, by: a)
    let before = counter
    #expect(throws: CounterOverflow.value) { try counter.add(1, by: b) }
    #expect(counter == before)
    try counter.add(.min, by: b)
    #expect(try counter.value == -1)
    #expect(throws: CounterOverflow.value) { try counter.add(.min, by: a) }
    #expect(try counter.value == -1)
  }

  @Test("§4.2 one replica's total over 64 bits is refused, whatever the value")
  func refusesEntryOverflow() throws {
    var counter = PNCounter()
    for _ in 0..<2 {
      try counter.add(.max, by: a)
      try counter.add(-.max, by: b)
    }
    try counter.add(1, by: a)
    #expect(throws: CounterOverflow.entry(a)) { try counter.add(1, by: a) }
    #expect(try counter.value == 1)
    #expect(counter.checkInvariants() == [])
  }

  @Test(
    "§4.2 increments made apart may add up to more than Int64: reading says so, nothing is lost, and it can be undone")
  func overflowByMergingIsReported() throws {
    var left = PNCounter()
    var right = PNCounter()
    try left.add(.max, by: a)
    try right.add(5, by: b)
    left.merge(right)
    #expect(throws: CounterOverflow.value) { try left.value }
    #expect(throws: CounterOverflow.value) { try left.add(1, by: a) }
    try left.add(-2, by: a)
    #expect(throws: CounterOverflow.value) { try left.value }
    try left.add(-3, by: a)
    #expect(try left.value == .max)
  }

  @Test("§4.2 adding nothing changes nothing")
  func addingZeroIsNothing() throws {
    var counter = PNCounter()
    #expect(try counter.add(0, by: a) == PNCounter())
    #expect(counter == PNCounter())
  }

  @Test("§4.9 many replicas fold into one, in any order", arguments: [UInt64(1), 2, 3])
  func manyReplicasFold(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    var counters: [PNCounter] = []
    for _ in 0..<300 {
      var counter = PNCounter()
      let replica = ReplicaID(generator.next())
      try counter.add(3, by: replica)
      try counter.add(-1, by: replica)
      counters.append(counter)
    }
    let halves = [counters[..<150], counters[150...]].map { $0.reduce(into: PNCounter()) { $0.merge($1) } }
    let joined = counters.shuffled(using: &generator).reduce(into: PNCounter()) { $0.merge($1) }
    #expect(joined == halves[0].merging(halves[1]))
    #expect(joined.checkInvariants() == [])
    #expect(try joined.value == 600)
  }
}
