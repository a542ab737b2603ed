import MoaiFlow

extension RunJudge {
  /// Milliseconds for which a retry is the same command.
  private static let window: Int64 = 24 * 60 * 60 * 1000

  /// Acknowledged means stored and counted once; unknown means at most once; failed means not stored.
  mutating func judgeCommands(_ era: SimulatedDisk.Era, _ chronicle: Chronicle) {
    let effects = chronicle.effects
    let stored = Dictionary(grouping: chronicle.entries.indices, by: { chronicle.entries[$0].entry.id })
    for id in seen.commandOrder {
      guard let command = seen.commands[id] else { continue }
      let revisions = effects[id] ?? []
      if revisions.count > 1, !isForgettable(stored[id] ?? [], era) {
        violation(
          "§10.1", "command \(id.low) of \(command.request.author) was done \(revisions.count) times: \(revisions)")
      }
      switch command.result {
      case .answered(let outcome, let epoch) where epoch == era.epoch:
        judge(outcome, of: id, command, chronicle, isStored: stored[id] != nil)
      case .failed(let error) where chronicle.isLast && stored[id] != nil && !seen.copied.contains(id):
        violation("Journal", "command \(id.low) failed (\(error)), and is stored at \(stored[id]?.first ?? 0)")
      default: break
      }
    }
    for id in stored.keys.sorted(by: { $0.low < $1.low }) where seen.commands[id] == nil {
      // The swarm itself sends some.
      if let index = stored[id]?.first, chronicle.entries[index].entry.author == .journal { continue }
      violation("§10.1", "entry \((stored[id]?.first ?? 0) + 1) is of a command that nobody sent")
    }
    if chronicle.isLast { judgeTallies(effects) }
  }

  private func isForgettable(_ indices: [Int], _ era: SimulatedDisk.Era) -> Bool {
    let times = indices.map { era.entries[$0].appendedAt }
    let newest = era.entries.reduce(into: (now: Int64(0), times: [Int64]())) { state, entry in
      state.now = max(state.now, entry.appendedAt)
      state.times.append(state.now)
    }.times
    let journalTimes = indices.map { newest[$0] }
    guard let first = journalTimes.min(), let last = journalTimes.max(), !times.isEmpty else { return false }
    return last - first >= RunJudge.window
  }

  private mutating func judge(
    _ outcome: Outcome, of id: CommandID, _ command: RunLog.Command, _ chronicle: Chronicle, isStored: Bool
  ) {
    if outcome.revision == 0 {
      if case .refused = outcome.result { return }
      return violation("§10.1", "command \(id.low) was accepted without an entry")
    }
    guard outcome.revision <= Revision(chronicle.entries.count) else {
      return violation("§10.1", "command \(id.low) was acknowledged at \(outcome.revision), which does not exist")
    }
    let step = chronicle.entries[Int(outcome.revision) - 1]
    guard step.entry.id == id, step.entry.author == command.request.author else {
      return violation("§10.1", "command \(id.low) was acknowledged at \(outcome.revision), where another one stands")
    }
    if step.outcome.result != outcome.result {
      violation("§10.1", "command \(id.low) was told \(outcome.result), the journal says \(step.outcome.result)")
    }
  }

  /// A counter that is only counted up holds the sum of what was accepted.
  private mutating func judgeTallies(_ effects: [CommandID: [Revision]]) {
    for name in Workload.tallies {
      let key = StateKey(simulated: name)
      var sum: Int64 = 0
      for id in seen.commandOrder {
        guard let command = seen.commands[id], case .write(let writes) = command.request.body else { continue }
        let times = Int64(effects[id]?.count ?? 0)
        for write in writes where write.key == key {
          if case .operations(let operations) = write.content {
            for case .increment(let amount) in operations { sum += amount * times }
          }
        }
      }
      let served: Int64 = if case .int(let value)? = final.served[key]?.value { value } else { 0 }
      if served != sum { violation("§10.1", "\(name) is \(served); what was accepted sums up to \(sum)") }
    }
  }
}
