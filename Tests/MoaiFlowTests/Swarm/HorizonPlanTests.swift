import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// When the horizon moves, by table and by long random runs.
@Suite struct HorizonPlanTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Revisions of the kept checkpoints; each was taken at ten times its revision.
    let kept: [Revision]
    var floor: Revision = 0
    var horizon: Revision = 0
    let head: Revision
    var entries: Int64?
    var milliseconds: Int64?
    /// What is expected.
    var moves: Revision?
    var newFloor: Revision?
    var keepsPrevious = false
  }

  static let cases = [
    Case(testDescription: "nothing is bounded: everything stays", kept: [100], head: 10_000),
    Case(testDescription: "no checkpoint yet", kept: [], head: 10_000, entries: 1),
    Case(
      testDescription: "young: it stays kept as a candidate", kept: [100], head: 199, entries: 100, keepsPrevious: true),
    Case(
      testDescription: "the last 100 entries came after it", kept: [100], head: 200, entries: 100, moves: 100,
      newFloor: 100,
      keepsPrevious: true),
    Case(testDescription: "one candidate at a time", kept: [100, 150], head: 199, entries: 100),
    Case(
      testDescription: "the candidate is old enough, the newest is the next candidate", kept: [100, 150], head: 200,
      entries: 100, moves: 100, newFloor: 100, keepsPrevious: true),
    Case(
      testDescription: "of several that are old enough the newest", kept: [100, 150], head: 260, entries: 100,
      moves: 150,
      newFloor: 150, keepsPrevious: true),
    Case(
      testDescription: "no room to keep the newest too: the candidate", kept: [50, 100, 150], floor: 50, horizon: 50,
      head: 260, entries: 100, moves: 100, newFloor: 100),
    Case(
      testDescription: "exactly as old as the bound: it stays", kept: [100], head: 101, milliseconds: 10,
      keepsPrevious: true),
    Case(
      testDescription: "older than the bound", kept: [100], head: 102, milliseconds: 10, moves: 100, newFloor: 100,
      keepsPrevious: true),
    Case(
      testDescription: "both bounds: entries are not enough", kept: [100], head: 200, entries: 100, milliseconds: 1_000,
      keepsPrevious: true),
    Case(
      testDescription: "both bounds: time is not enough", kept: [100], head: 201, entries: 102, milliseconds: 1_000,
      keepsPrevious: true),
    Case(
      testDescription: "both bounds", kept: [100], head: 202, entries: 102, milliseconds: 1_000, moves: 100,
      newFloor: 100,
      keepsPrevious: true),
    Case(
      testDescription: "a trim that was cut short is finished, though nothing is bounded", kept: [100, 150],
      horizon: 100,
      head: 160, newFloor: 100),
    Case(
      testDescription: "its checkpoint is the newest: it stays kept", kept: [50, 100], floor: 50, horizon: 100,
      head: 160,
      newFloor: 100, keepsPrevious: true),
    Case(
      testDescription: "its checkpoint is gone: the best that is left", kept: [50, 120], horizon: 100, head: 160,
      newFloor: 50),
    Case(testDescription: "none is left: nothing", kept: [120], horizon: 100, head: 160),
    Case(
      testDescription: "the floor is the newest: there is no candidate yet", kept: [100], floor: 100, horizon: 100,
      head: 900,
      entries: 10),
  ]

  @Test("§6.4 what has to stay readable stays, what is older goes", arguments: cases)
  func table(given: Case) {
    let plan = HorizonPlan(
      kept: given.kept.map { HorizonPlan.Kept(revision: $0, time: $0 * 10) }, floor: given.floor,
      horizon: given.horizon,
      head: given.head, time: given.head * 10,
      retention: HistoryRetention(milliseconds: given.milliseconds, entries: given.entries))
    #expect(plan.moves == given.moves)
    #expect(plan.floor == given.newFloor)
    #expect(plan.keepsPrevious == given.keepsPrevious)
  }

  @Test(
    "§6.4 over a long run: no checkpoint is refused, never too little is kept, and not for ever too much",
    arguments: 0..<50)
  func longRuns(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let bound = Int64.random(in: 1...300, using: &random)
    let retention = HistoryRetention(entries: bound)
    let interval = Int64.random(in: 1...200, using: &random)
    var kept = KeptCheckpoints()
    var times: [Revision: Int64] = [:]
    var (head, time, horizon): (Revision, Int64, Revision) = (0, 0, 0)
    for _ in 0..<300 {
      head += Int64.random(in: 1...interval, using: &random)
      time += Int64.random(in: 0...50, using: &random)
      let plan = HorizonPlan(
        kept: kept.revisions.map { HorizonPlan.Kept(revision: $0, time: times[$0] ?? 0) }, floor: kept.floor,
        horizon: horizon, head: head, time: time, retention: retention)
      // Its entry may fail, and so may the trim.
      if let moves = plan.moves, Int.random(in: 0..<10, using: &random) > 0 {
        #expect(moves > horizon && head - moves >= bound)
        horizon = moves
        head += 1
      }
      let update = CheckpointUpdate(
        revision: head, header: [], upserted: [], removed: [], keepsPrevious: plan.keepsPrevious)
      _ = try kept.save(update, head: head)
      times[head] = time
      if let floor = plan.floor, floor <= horizon, Int.random(in: 0..<10, using: &random) > 0 {
        _ = try kept.trim(to: floor)
      }
      #expect(kept.floor <= horizon)
    }
    // After a while without faults.
    for _ in 0..<400 {
      head += interval
      let plan = HorizonPlan(
        kept: kept.revisions.map { HorizonPlan.Kept(revision: $0, time: times[$0] ?? 0) }, floor: kept.floor,
        horizon: horizon, head: head, time: time, retention: retention)
      horizon = plan.moves ?? horizon
      _ = try kept.save(
        CheckpointUpdate(revision: head, header: [], upserted: [], removed: [], keepsPrevious: plan.keepsPrevious),
        head: head)
      if let floor = plan.floor { _ = try kept.trim(to: floor) }
    }
    #expect(head - kept.floor <= 2 * bound + 4 * interval)
  }
}
