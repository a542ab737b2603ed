import MoaiCRDT
import MoaiFlowTesting
import Testing

@Suite("§1.5 hybrid logical clock") struct HybridLogicalClockTests {
  @Test("§1.5 follows the wall clock, and counts while it stands still or goes back")
  func ticks() {
    var clock = HybridLogicalClock()
    #expect(clock.tick(now: 100) == Timestamp(milliseconds: 100))
    #expect(clock.tick(now: 100) == Timestamp(milliseconds: 100, logical: 1))
    #expect(clock.tick(now: 90) == Timestamp(milliseconds: 100, logical: 2))
    #expect(clock.tick(now: 101) == Timestamp(milliseconds: 101))
  }

  @Test("§1.5 receiving gives a timestamp above both, as in figure 5 of the paper")
  func receives() {
    var clock = HybridLogicalClock(last: Timestamp(milliseconds: 10, logical: 4))
    #expect(clock.receive(Timestamp(milliseconds: 10, logical: 7), now: 9) == Timestamp(milliseconds: 10, logical: 8))
    #expect(clock.receive(Timestamp(milliseconds: 10, logical: 2), now: 10) == Timestamp(milliseconds: 10, logical: 9))
    #expect(clock.receive(Timestamp(milliseconds: 12, logical: 3), now: 11) == Timestamp(milliseconds: 12, logical: 4))
    #expect(clock.receive(Timestamp(milliseconds: 5, logical: 9), now: 20) == Timestamp(milliseconds: 20))
  }

  @Test("§1.5 a full counter is carried into the milliseconds")
  func carries() {
    var clock = HybridLogicalClock(last: Timestamp(milliseconds: 7, logical: .max))
    #expect(clock.tick(now: 3) == Timestamp(milliseconds: 8))
    #expect(clock.receive(Timestamp(milliseconds: 9, logical: .max), now: 3) == Timestamp(milliseconds: 10))
  }

  @Test("§1.5 the end of time stands still instead of trapping")
  func endsWithoutATrap() {
    let last = Timestamp(milliseconds: .max, logical: .max)
    var clock = HybridLogicalClock()
    #expect(clock.receive(last, now: 0) == last)
    #expect(clock.tick(now: 5) == last)
  }

  @Test("§1.5 every timestamp is greater than all given and received before", arguments: UInt64(1)...50)
  func neverGoesBack(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var clock = HybridLogicalClock()
    var greatest = clock.last
    for _ in 0..<200 {
      let now = Int64(generator.below(20))
      let given: Timestamp
      if generator.below(2) == 0 {
        given = clock.tick(now: now)
      } else {
        let remote = Timestamp(
          milliseconds: Int64(generator.below(30)), logical: generator.below(2) == 0 ? .max : UInt16(generator.below(3))
        )
        greatest = max(greatest, remote)
        given = clock.receive(remote, now: now)
      }
      #expect(given > greatest)
      #expect(given.milliseconds >= now)
      greatest = given
    }
  }
}
