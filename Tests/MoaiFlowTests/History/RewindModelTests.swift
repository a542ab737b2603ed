import MoaiCRDT
import MoaiFlowTesting
import Testing

@testable import MoaiFlow

/// Rewinds against ``RewindModel``, on random histories from a seed: stale bases, deletions, keys created anew as
/// something else, entries of several keys, rewinds, rewinds of rewinds.
@Suite struct RewindModelTests {
  @Test("§6.2 §6.3 every value is what the naive model says, after every write and every rewind", arguments: 0..<40)
  func valuesAgreeWithTheModel(block: Int) async throws {
    for seed in block * 50..<(block + 1) * 50 {
      var run = try await RewindRun(seed: UInt64(seed))
      for step in 0..<(12 + run.random.below(28)) {
        if step > 3, run.random.below(4) == 0 {
          let request = try run.randomRequest()
          let (_, problem) = try await run.rewind(request)
          try #require(problem == nil, "seed \(seed), revision \(run.core.revision), \(request)")
        } else {
          try await run.write()
        }
        try #require(run.difference == nil, "seed \(seed), revision \(run.core.revision)")
      }
    }
  }

  @Test("§6.2 §6.3 the same behind a horizon that moves: what it hides blocks, all else is rewound", arguments: 0..<20)
  func valuesAgreeBehindAHorizon(block: Int) async throws {
    var trimmed = 0
    for seed in block * 20..<(block + 1) * 20 {
      var run = try await RewindRun(seed: UInt64(60_000 + seed))
      for step in 0..<60 {
        if step > 3, run.random.below(4) == 0 {
          let request = try run.randomRequest()
          trimmed += try await run.plan(request).report.blocked.count { $0.obstacle == .trimmed }
          let (_, problem) = try await run.rewind(request)
          try #require(problem == nil, "seed \(seed), revision \(run.core.revision), \(request)")
        } else {
          try await run.write()
        }
        if step % 13 == 12 { try await run.trim() }
        try #require(run.difference == nil, "seed \(seed), revision \(run.core.revision)")
      }
    }
    #expect(trimmed > 0)
  }

  @Test("§6.3 a rewind is undone by rewinding its revision, to any depth", arguments: 0..<20)
  func rewindOfARewindIsAsBefore(block: Int) async throws {
    var undone = 0
    for seed in block * 20..<(block + 1) * 20 {
      var run = try await RewindRun(seed: UInt64(10_000 + seed))
      for _ in 0..<20 { try await run.write() }
      var history = [run.values]
      var request = try run.randomRequest()
      for _ in 0..<4 {
        let (revision, problem) = try await run.rewind(request)
        try #require(problem == nil, "seed \(seed)")
        guard let revision else { break }
        if history.count >= 2 {
          try #require(run.values == history[history.count - 2], "seed \(seed), revision \(revision)")
          undone += 1
        }
        history.append(run.values)
        request = RewindRequest(.revision(.revision(revision)))
      }
    }
    #expect(undone > 20)
  }

  @Test(
    "§10.1 a journal with rewinds replays to the same chain, from its start and from any checkpoint", arguments: 0..<20)
  func replayEqualsLive(seed: Int) async throws {
    var run = try await RewindRun(seed: UInt64(20_000 + seed))
    for step in 0..<40 {
      if step % 5 == 4 { _ = try await run.rewind(try run.randomRequest()) } else { try await run.write() }
      if step == 20 { try await run.journal.save(run.core.prepareCheckpoint().update) }
    }
    var replay = SwarmState(epoch: run.journal.epoch)
    try await replay.replay(run.journal)
    #expect(replay.fingerprint == run.core.fingerprint)
    var loaded = try await SwarmState.loading(from: run.journal)
    #expect(loaded.revision > 10)
    try await loaded.replay(run.journal)
    #expect(loaded.fingerprint == run.core.fingerprint)
  }

  @Test(
    "§6.2 a rewind that was overtaken changes nothing, and one that holds changes what its plan said",
    arguments: 0..<200)
  func overtakenRewindsLeaveNoTrace(seed: Int) async throws {
    var run = try await RewindRun(seed: UInt64(30_000 + seed))
    for _ in 0..<15 { try await run.write() }
    var request = try run.randomRequest()
    request.isPartial = true
    let plan = try await run.plan(request)
    guard let command = plan.command, let first = command.effects.first else { return }
    // A write that no reader sees overtakes it too.
    try await run.write([KeyWrite(key: first.key, content: .delete)], by: "bob")
    try await run.write([KeyWrite(key: first.key, content: .value(.set, []), declaredType: .set)], by: "bob")
    let before = run.core.fingerprint.records
    let outcome = try await run.append(.state(.rewind(command)), by: "carol")
    #expect(outcome.result == .refused(.state(.changedSincePlanned(first.key))))
    #expect(run.core.fingerprint.records == before)
    #expect(run.difference == nil)
  }
}
