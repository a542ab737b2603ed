import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The suspicion against one agent as a pure function of signs and instants (rules §7.2, §7.3).
@Suite struct FailureDetectorTests {
  @Test(
    "§7.3 silence of one, two and three intervals is degraded, critical and failed",
    arguments: [
      (0, .healthy), (999, .healthy), (1_000, .degraded), (1_999, .degraded), (2_000, .critical), (2_999, .critical),
      (3_000, .failed), (1_000_000_000, .failed),
    ] as [(Int64, AgentHealth)])
  func thresholds(silence: Int64, health: AgentHealth) {
    var detector = FailureDetector(.intervals, interval: 1_000, at: 5_000)
    #expect(detector.assess(at: 5_000 + silence) == health)
    // However often somebody has looked in between.
    var watched = FailureDetector(.intervals, interval: 1_000, at: 5_000)
    for instant in stride(from: Int64(0), through: min(silence, 4_000), by: 250) {
      _ = watched.assess(at: 5_000 + instant)
    }
    #expect(watched.assess(at: 5_000 + silence) == health)
  }

  @Test("§7.3 any sign recovers, at once, in both kinds", arguments: FailureDetection.allCases)
  func anySignRecovers(kind: FailureDetection) {
    var detector = FailureDetector(kind, interval: 1_000, at: 0)
    #expect(detector.assess(at: 60_000) == .failed)
    detector.hear(busyFor: nil, at: 60_000)
    #expect(detector.health == .healthy && detector.assess(at: 60_001) == .healthy)
  }

  @Test("§7.3 health improves by itself only when the level is a fifth below a threshold")
  func hysteresis() {
    var detector = FailureDetector(.intervals, interval: 1_000, at: 0)
    #expect(detector.assess(at: 2_100) == .critical)
    // The hub was away: silence begins anew, and comes back to just below the thresholds.
    detector.restart(at: 300)
    #expect(detector.level(at: 2_100) == 1.8)
    #expect(detector.assess(at: 2_100) == .critical, "1.8 is not a fifth below 2")
    detector.restart(at: 301)
    #expect(detector.assess(at: 2_100) == .degraded)
    detector.restart(at: 1_299)
    #expect(detector.assess(at: 2_100) == .degraded, "0.801")
    detector.restart(at: 1_301)
    #expect(detector.assess(at: 2_100) == .healthy)
  }

  @Test("§7.3 busy_for_ms suspends suspicion for so long, at most an hour, and 0 ends it")
  func busy() {
    var detector = FailureDetector(.intervals, interval: 1_000, at: 0)
    detector.hear(busyFor: 240_000, at: 0)
    #expect(detector.assess(at: 240_999) == .healthy)
    #expect(detector.assess(at: 243_000) == .failed)
    detector.hear(busyFor: .max, at: 300_000)
    #expect(detector.assess(at: 300_000 + Heartbeat.longestBusy + 999) == .healthy)
    #expect(detector.assess(at: 300_000 + Heartbeat.longestBusy + 3_000) == .failed)
    detector.hear(busyFor: 240_000, at: 10_000_000)
    detector.hear(busyFor: nil, at: 10_000_500)
    #expect(detector.assess(at: 10_100_000) == .healthy, "another sign does not end what was announced")
    detector.hear(busyFor: 0, at: 10_100_000)
    #expect(detector.assess(at: 10_103_000) == .failed)
  }

  /// Silence as somebody would work it out who keeps every sign.
  private func dumbHealth(signs: [(at: Int64, busy: Int64?)], interval: Int64, at now: Int64) -> AgentHealth {
    let heard = signs.map(\.at).max() ?? 0
    let busy = signs.last { $0.busy != nil }.flatMap { sign in sign.busy.map { sign.at + $0 } } ?? 0
    let silence = Double(max(0, now - max(heard, busy))) / Double(interval)
    return silence < 1 ? .healthy : silence < 2 ? .degraded : silence < 3 ? .critical : .failed
  }

  @Test("§7.3 the level follows the naive count of silence through any signs", arguments: 0..<100)
  func model(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let interval = Int64(1 + random.below(5_000))
    var detector = FailureDetector(.intervals, interval: interval, at: 0)
    var signs: [(at: Int64, busy: Int64?)] = []
    var now: Int64 = 0
    for _ in 0..<200 {
      now += Int64(random.below(Int(2 * interval)))
      if random.below(3) == 0 {
        let busy: Int64? = random.below(4) == 0 ? Int64(random.below(Int(6 * interval))) : nil
        detector.hear(busyFor: busy, at: now)
        signs.append((now, busy))
      }
      #expect(detector.assess(at: now) == dumbHealth(signs: signs, interval: interval, at: now))
      let look = detector.nextLook(after: now)
      #expect(look > now)
      // Nothing changes before the next look, if no sign comes.
      var later = detector
      #expect(later.assess(at: look - 1) == detector.health)
    }
  }

  @Test("§7.3 phi-accrual: a regular agent is missed sooner than an irregular one; the level never falls in silence")
  func phi() {
    func detector(gaps: [Int64]) -> (FailureDetector, Int64) {
      var detector = FailureDetector(.phiAccrual, interval: 15_000, at: 0)
      var now: Int64 = 0
      for round in 0..<100 {
        now += gaps[round % gaps.count]
        detector.hear(busyFor: nil, at: now)
      }
      return (detector, now)
    }
    func silenceUntilFailed(_ pair: (FailureDetector, Int64)) -> Int64 {
      var (detector, now) = pair
      var silence: Int64 = 0
      var last = 0.0
      while true {
        let level = detector.level(at: now + silence)
        #expect(level >= last && level <= 3)
        last = level
        if detector.assess(at: now + silence) == .failed { return silence }
        silence += 100
      }
    }
    let regular = silenceUntilFailed(detector(gaps: [5_000]))
    let irregular = silenceUntilFailed(detector(gaps: [1_600, 14_000, 3_000, 12_000]))
    #expect(25_000..<40_000 ~= regular, "\(regular) ms")
    #expect(irregular > regular + 5_000, "\(irregular) ms")
    // Nothing was heard yet: as if signs had come as agreed.
    #expect(20_000..<45_000 ~= silenceUntilFailed((FailureDetector(.phiAccrual, interval: 15_000, at: 0), 0)))
  }

  @Test(
    "§7.3 φ is −log₁₀ of the normal tail, to two hundredths of the probability",
    arguments: [(0.0, 0.5), (1.0, 0.158_655), (2.0, 0.022_750), (3.0, 0.001_350)])
  func phiOfNormal(distance: Double, tail: Double) {
    // 10^−φ, as the series of the exponential function.
    let exponent = ArrivalTimes.phi(distance) * 2.302585092994046
    var probability = 1.0
    var term = 1.0
    for number in 1..<60 {
      term *= -exponent / Double(number)
      probability += term
    }
    #expect(abs(probability - tail) < 0.02, "\(probability)")
    #expect(ArrivalTimes.phi(-40) == 0 && ArrivalTimes.phi(40) > 1_000)
  }
}
