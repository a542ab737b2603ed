import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// The health of many agents, and whom to declare failed (rules §7.2 to §7.4).
@Suite struct HealthTrackerTests {
  private let alice = try! AgentID("alice")
  private let bob = try! AgentID("bob")

  private func tracker(_ agents: AgentID..., interval: Int64 = 1_000, pauseLimit: Int64 = 2_000) -> HealthTracker {
    var tracker = HealthTracker(.intervals, pauseLimit: pauseLimit)
    for (index, agent) in agents.enumerated() {
      tracker.admit(agent, incarnation: Revision(index + 1), interval: interval, isFailed: false, at: 0)
    }
    _ = tracker.advance(to: 0)
    return tracker
  }

  private func told(_ reports: [HealthReport]) -> [String] { reports.map { "\($0.agent) \($0.health.rawValue)" } }

  @Test("§7.3 each step down is told once; a silent agent is a suspect until it is declared, and critical until then")
  func stepsDown() {
    var tracker = tracker(alice, bob)
    _ = tracker.hear(bob, at: 900)
    var reports: [String] = []
    var suspects: [HealthTracker.Suspect] = []
    for instant in stride(from: Int64(100), through: 3_600, by: 100) {
      let (told, new) = tracker.advance(to: instant)
      reports += self.told(told)
      suspects += new
      if instant < 2_900, instant % 500 == 0 { _ = tracker.hear(bob, at: instant) }
    }
    #expect(reports == ["alice degraded", "alice critical", "bob degraded"])
    #expect(suspects == [HealthTracker.Suspect(agent: alice, incarnation: 1, silence: nil)])
    // The declaration did not come about, so it is made again; and again until the journal has it.
    let again = tracker.advance(to: 4_000)
    #expect(again.suspects.map(\.agent) == [alice])
    let failed = tracker.declare(alice, incarnation: 1, isFailed: true, at: 4_050)
    #expect(failed?.health == .failed)
    for instant in stride(from: Int64(4_100), through: 5_400, by: 100) {
      #expect(tracker.advance(to: instant).suspects.isEmpty)
    }
    #expect(tracker.declare(alice, incarnation: 1, isFailed: false, at: 5_400)?.health == .healthy)
    #expect(tracker.standing(of: alice, at: 5_500)?.health == .healthy)
  }

  @Test("§7.4 what is declared of an older incarnation is about nobody")
  func olderIncarnation() {
    var tracker = tracker(alice)
    tracker.admit(alice, incarnation: 7, interval: 1_000, isFailed: false, at: 100)
    #expect(tracker.declare(alice, incarnation: 1, isFailed: true, at: 200) == nil)
    #expect(tracker.standing(of: alice, at: 200)?.health == .healthy)
    tracker.dismiss(alice)
    #expect(tracker.standing(of: alice, at: 300) == nil)
    #expect(tracker.advance(to: 1_900).suspects.isEmpty)
    #expect(tracker.advance(to: 3_800).suspects.isEmpty)
  }

  @Test("§7.2 a hub that was away itself declares nobody: all silences begin anew")
  func ownPause() {
    var tracker = tracker(alice, bob)
    for instant in stride(from: Int64(500), through: 2_500, by: 500) { _ = tracker.advance(to: instant) }
    #expect(tracker.standing(of: alice, at: 2_500)?.health == .critical)
    // A minute later: suspended, swapped out, stopped in a debugger.
    let back = tracker.advance(to: 62_500)
    #expect(back.suspects.isEmpty)
    #expect(told(back.reports).sorted() == ["alice healthy", "bob healthy"])
    #expect(tracker.standing(of: alice, at: 62_600)?.health == .healthy)
    var suspects: [AgentID] = []
    for instant in stride(from: Int64(63_000), through: 65_500, by: 500) {
      suspects += tracker.advance(to: instant).suspects.map(\.agent)
    }
    #expect(suspects.sorted() == [alice, bob], "three intervals after it came back")
  }

  @Test("§7.3 alive without progress for long is stuck, told apart; busy, idle and failed agents are not")
  func stuck() {
    var tracker = tracker(alice, pauseLimit: .max)
    let limit = HealthTracker.stuckIntervals * 1_000
    var reports: [HealthReport] = []
    func beat(until end: Int64, from begin: Int64, _ progress: StateValue?) {
      for instant in stride(from: begin, to: end, by: 300) {
        if let report = tracker.hear(alice, Heartbeat(progress: progress), at: instant) { reports.append(report) }
        reports += tracker.advance(to: instant).reports
      }
    }
    beat(until: limit - 100, from: 0, 1)
    #expect(reports.isEmpty)
    beat(until: limit + 2_000, from: limit - 100, 1)
    #expect(reports.map(\.isStuck) == [true] && reports.map(\.health) == [.healthy])
    beat(until: limit + 3_000, from: limit + 2_000, 2)
    #expect(reports.map(\.isStuck) == [true, false], "it gets on")
    beat(until: 3 * limit, from: limit + 3_000, nil)
    #expect(reports.count == 2, "who does nothing that takes long is not stuck")
    _ = tracker.hear(alice, Heartbeat(busyMilliseconds: 2 * limit, progress: 3), at: 3 * limit)
    beat(until: 5 * limit, from: 3 * limit + 300, 3)
    #expect(reports.count == 2, "it said that it would be busy")
    #expect(tracker.standing(of: alice, at: 6 * limit + 1)?.isStuck == true)
    _ = tracker.declare(alice, incarnation: 1, isFailed: true, at: 6 * limit)
    #expect(tracker.standing(of: alice, at: 6 * limit + 1)?.isStuck == false)
  }

  /// All agents looked at each time.
  private struct DumbTracker {
    var detectors: [AgentID: FailureDetector] = [:]
    var declared: Set<AgentID> = []

    mutating func health(at now: Int64) -> [AgentID: AgentHealth] {
      var health: [AgentID: AgentHealth] = [:]
      for agent in detectors.keys {
        let assessed = detectors[agent]?.assess(at: now) ?? .failed
        health[agent] = declared.contains(agent) ? .failed : min(assessed, .critical)
      }
      return health
    }
  }

  @Test("§7.3 looking at those who are due tells what looking at all would", arguments: 0..<60)
  func model(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let names = try (0..<12).map { try AgentID("agent-\($0)") }
    var tracker = HealthTracker(.intervals, pauseLimit: .max)
    var dumb = DumbTracker()
    var heard: [AgentID: AgentHealth] = [:]
    var now: Int64 = 0
    for name in names {
      let interval = Int64(200 + random.below(2_000))
      tracker.admit(name, incarnation: 1, interval: interval, isFailed: false, at: 0)
      dumb.detectors[name] = FailureDetector(.intervals, interval: interval, at: 0)
      heard[name] = .healthy
    }
    for _ in 0..<400 {
      now += Int64(random.below(400))
      let name = names[random.below(names.count)]
      switch random.below(6) {
      case 0...2:
        let busy: Int64? = random.below(5) == 0 ? Int64(random.below(4_000)) : nil
        if let report = tracker.hear(name, Heartbeat(busyMilliseconds: busy), at: now) { heard[name] = report.health }
        dumb.detectors[name]?.hear(busyFor: busy, at: now)
      // A sign alone ends no declaration.
      case 3 where dumb.declared.contains(name):
        if let report = tracker.declare(name, incarnation: 1, isFailed: false, at: now) { heard[name] = report.health }
        dumb.declared.remove(name)
        dumb.detectors[name]?.hear(busyFor: nil, at: now)
      default: break
      }
      let (reports, suspects) = tracker.advance(to: now)
      for report in reports { heard[report.agent] = report.health }
      let expected = dumb.health(at: now)
      for name in names { #expect(heard[name] == expected[name], "seed \(seed), \(name) at \(now)") }
      for suspect in suspects {
        #expect(dumb.detectors[suspect.agent]?.health == .failed)
        guard random.below(2) == 0 else { continue }
        dumb.declared.insert(suspect.agent)
        if let report = tracker.declare(suspect.agent, incarnation: 1, isFailed: true, at: now) {
          heard[suspect.agent] = report.health
        }
      }
    }
  }
}
