import MoaiCRDT
import MoaiFlow

/// Entries of a journal that nobody vouches for: several of them, each a part of the input behind a byte that lets time
/// pass.
///
/// One that is accepted has these very bytes and a line in the log that is JSON. The core applies whatever is accepted
/// and never traps; a replay, and a checkpoint in between, come to the same.
package enum EntryTarget: FuzzTarget {
  package static let name = "entry"
  package static let words = ["alice", "bob", "stock/bolts", "tasks", "plan", "note", "coordinator", "journal"]

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    var parts = InputParts(input)
    var state = SwarmState(epoch: SampleSwarm.epoch)
    var replay = state
    var keys: Set<StateKey> = []
    while !parts.isAtEnd {
      let time = self.time(after: state.time, parts.byte())
      let bytes = parts.part()
      guard let (entry, applied) = try? state.apply(bytes: bytes, at: time) else { continue }
      try Finding.unless(entry.encoded() == bytes, "a second spelling of \(entry)")
      let line = entry.json(revision: state.revision, appendedAt: time, outcome: applied.outcome)
      try JSONTarget.checkWriting(line)
      for change in applied.changes { keys.insert(change.key) }
      try Finding.unless(
        (try? replay.apply(bytes: bytes, at: time))?.applied.outcome == applied.outcome, "the replay differs")
    }
    try Finding.unless(replay.chain == state.chain, "the replay has another chain")
    guard state.revision > 0 else { return false }
    try StateProbe.check(state, keys: keys.sorted())
    return true
  }

  /// The engine's clock: it stands still, goes on, jumps, goes back, and ends.
  private static func time(after time: Int64, _ step: UInt8) -> Int64 {
    switch step {
    case 0..<200: time.addingReportingOverflow(Int64(step)).partialValue
    case 200: time.addingReportingOverflow(24 * 60 * 60 * 1000).partialValue
    case 201: .max
    case 202: .min
    default: 1_700_000_000_000
    }
  }

  static func input(_ entries: some Sequence<JournalEntry>) -> [UInt8] {
    entries.flatMap { [1] + InputParts.part($0.payload) }
  }

  package static func seeds() async throws -> [[UInt8]] {
    let entries = try await SampleSwarm().entries
    let alone = entries.map { input([$0]) }
    return alone + [input(entries), [203] + input(entries).dropFirst() + [201] + InputParts.part(entries[1].payload)]
  }
}
