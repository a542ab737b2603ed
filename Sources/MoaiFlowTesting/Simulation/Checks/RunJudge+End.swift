import MoaiFlow

extension RunJudge {
  /// When all is quiet, everybody has the same, and it is what the journal says.
  mutating func judgeFinalState(_ chronicle: Chronicle) {
    let expected = chronicle.quiet.values
    let head = final.head
    if let status = final.status {
      if status.epoch != final.epoch || status.revision != head {
        violation("§10.1", "the swarm is at \(status.cursor), the journal ends at \(final.epoch)-\(head)")
      }
      let horizon = chronicle.moments[Int(head)].horizon
      if status.horizon != horizon {
        violation("§4.3", "the horizon is \(status.horizon), the entries say \(horizon)")
      }
      if status.keys != expected.count { violation("model", "\(status.keys) keys, expected are \(expected.count)") }
    }
    for (who, readings, model) in [
      ("the swarm", final.served, chronicle.quiet), ("the swarm opened again", final.reopened, chronicle.model),
    ] {
      for key in Set(readings.keys).union(model.keys.keys).sorted() {
        if let text = RunJudge.difference(readings[key], model.keys[key]) {
          violation("§10.1", "\(who), \(key): \(text)")
        }
      }
    }
    for (name, mirror) in final.copies + final.followers where mirror.values != expected {
      violation("§5.3", "\(name) ends with something else: \(difference(mirror.values, expected))")
    }
    judgeDevices(chronicle)
    for (name, mirror) in final.copies where mirror.cursor != Cursor(epoch: final.epoch, revision: head) {
      violation("§5.3", "\(name) ends at \(mirror.cursor.map { "\($0)" } ?? "nothing"), not at \(head)")
    }
  }

  /// What a full sync reported is what the journal has; one without a quorum wrote nothing (rule §5.1).
  mutating func judgeSyncs() {
    var stored: [UInt64: [(id: CommandID, era: Epoch, revision: Revision, entry: Entry)]] = [:]
    for era in eras {
      for entry in era.entries.dropFirst(Int(era.inherited)) {
        guard let decoded = try? Entry(decoding: entry.payload), decoded.via == .coordinator else { continue }
        stored[decoded.id.high, default: []].append((decoded.id, era.epoch, entry.revision, decoded))
      }
    }
    for sync in seen.syncs {
      let entries = stored[sync.id.high] ?? []
      switch sync.report {
      case .failure(.quorumNotReached) where !entries.isEmpty:
        violation("§5.1", "a full sync of \(sync.key) without a quorum wrote entry \(entries[0].revision)")
      case .success(let report): judge(report, entries)
      default: break
      }
    }
  }

  private mutating func judge(
    _ report: SyncReport, _ entries: [(id: CommandID, era: Epoch, revision: Revision, entry: Entry)]
  ) {
    if report.responders.count + report.missing.count != report.asked {
      violation(
        "§5.1",
        "\(report.asked) agents were asked, \(report.responders.count) answered, \(report.missing.count) are missing")
    }
    for contribution in report.contributions {
      guard case .merged(let revision) = contribution.fate else { continue }
      if !entries.contains(where: { $0.revision == revision && $0.entry.author == contribution.agent }) {
        violation("§5.2", "\(contribution.agent)'s answer is not at \(revision), where the report says it is")
      }
    }
  }
}

extension Swarm {
  /// Every key with all that a reader sees of it.
  func readAll() async throws -> [StateKey: StateReading] {
    var readings: [StateKey: StateReading] = [:]
    var after: StateKey?
    while true {
      let query = Query.keys(.all, after: after, limit: 3, includingValues: false)
      guard case .keys(let page) = try await answer(query) else { return readings }
      for key in page.keys {
        if case .value(let reading) = try await answer(.value(key.key, at: nil)) { readings[key.key] = reading }
      }
      guard let next = page.next else { return readings }
      after = next
    }
  }
}

extension SimulatedWorld {
  /// What the running swarm serves when all is quiet.
  func readAll() async -> [StateKey: StateReading] {
    guard let swarm = host.running?.swarm else { return [:] }
    do {
      return try await swarm.readAll()
    } catch {
      log.violation("§10.1", "the swarm cannot be read: \(error)")
      return [:]
    }
  }
}
