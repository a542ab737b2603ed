import MoaiCRDT
import MoaiFlow

/// A rewind that was asked for when all was over, and what it would do.
struct Rehearsal: Sendable {
  let agent: AgentID
  let since: Revision
  let report: RewindReport
}

extension RunJudge {
  /// Asks the swarm what taking back each agent's writes would do, since a revision that the dice pick.
  static func rehearse(in swarm: Swarm, seed: UInt64) async throws -> [Rehearsal] {
    var random = SplitMix64(seed: seed)
    let status = try await swarm.status()
    var rehearsals: [Rehearsal] = []
    for name in Workload.agents where status.revision > status.horizon {
      let agent = AgentID(simulated: name)
      let since = status.horizon + Revision(random.below(Int(status.revision - status.horizon)))
      let request = RewindRequest(.agent(agent, since: .revision(since)), isPartial: true)
      rehearsals.append(Rehearsal(agent: agent, since: since, report: try await swarm.state.rehearse(request)))
    }
    return rehearsals
  }

  /// Keeps every accepted write of the entry for the naive rewind.
  static func record(
    _ entry: Entry, _ verdict: PlainVerdict, at revision: Revision, _ before: PlainModel, in chronicle: inout Chronicle
  ) {
    for key in chronicle.model.expired { chronicle.naive.giveUp(key) }
    guard verdict.isEffective else { return }
    guard case .state(.write(let writes)) = entry.command else {
      for key in entry.keys { chronicle.naive.giveUp(key) }
      return
    }
    var isThere: [StateKey: Bool] = [:]
    for write in writes {
      let wasThere = isThere[write.key] ?? (before.keys[write.key] != nil)
      // A removal of what somebody had hidden stays one, if what hid it is taken back.
      let type =
        chronicle.model.keys[write.key]?.type ?? before.keys[write.key]?.type ?? chronicle.naive.type(of: write.key)
      guard let type else { continue }
      // Several writes of one key in an entry may delete and make it: too clever for a naive replay.
      if isThere[write.key] != nil { chronicle.naive.giveUp(write.key) }
      chronicle.naive.record(
        write, by: entry.author, at: revision, type: type,
        creates: !wasThere && chronicle.model.keys[write.key] != nil)
      isThere[write.key] = chronicle.model.keys[write.key] != nil
    }
  }

  /// A rewind would leave each key as a naive replay without that agent's writes does (rule §6.2).
  mutating func judgeRehearsals(_ chronicle: Chronicle) {
    guard chronicle.era.floor == nil else { return }
    for rehearsal in final.rehearsals {
      let (report, naive) = (rehearsal.report, chronicle.naive)
      let changes = Dictionary(report.changes.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
      let blocked = Dictionary(report.blocked.map { ($0.key, $0.obstacle) }, uniquingKeysWith: { $1 })
      for key in naive.keys where naive.knows(key) {
        // What may be gone any moment because nobody changed it is not rewound.
        if chronicle.model.policy(of: key)?.idleMilliseconds != nil { continue }
        let covered = naive.covered(on: key, of: rehearsal.agent, since: rehearsal.since)
        let what = "taking back what \(rehearsal.agent) wrote since \(rehearsal.since), \(key)"
        if covered.isEmpty {
          if changes[key] != nil || blocked[key] != nil { violation("§6.2", "\(what): it has nothing there") }
          continue
        }
        let expected = naive.value(of: key, without: covered)
        switch blocked[key] {
        case .bound?, .tooLarge?, .trimmed?: continue
        case .recreated?:
          if !expected.isRecreated { violation("§6.3", "\(what): blocked as created anew, and it was not") }
          continue
        case nil: break
        }
        if expected.isRecreated {
          violation("§6.3", "\(what): it was created anew since, and is not blocked")
          continue
        }
        let after = changes[key].map(\.after) ?? chronicle.model.keys[key]?.value
        if after != expected.view {
          violation(
            "§6.2",
            "\(what): would be \(after.map { "\($0)" } ?? "absent"), a naive replay says"
              + " \(expected.view.map { "\($0)" } ?? "absent")")
        }
      }
    }
  }
}
