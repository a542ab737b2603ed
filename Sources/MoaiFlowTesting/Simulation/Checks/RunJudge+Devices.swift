import MoaiCRDT
import MoaiFlow

extension RunJudge {
  private static let ledger = StateKey(simulated: SimulatedDevice.ledger)
  private static let ledgerCount = StateKey(simulated: SimulatedDevice.ledgerCount)

  /// A delta enters whole and once: each adds an element that no other has, and counts one (rule §5.6).
  mutating func judgeLedger(_ model: PlainModel, at revision: Revision) {
    let elements = model.value(of: RunJudge.ledger)?.arrayValue?.count ?? 0
    guard case .int(let count) = model.value(of: RunJudge.ledgerCount) ?? 0, Int(count) != elements else { return }
    violation("§5.6", "at \(revision) the ledger has \(elements) elements, and counts \(count)")
  }

  /// Everybody came home: all devices have what the swarm has, and the swarm has everything that they wrote, unless a
  /// rule refused it or its files were lost.
  mutating func judgeDevices(_ chronicle: Chronicle) {
    let expected = chronicle.quiet.values
    // A trim that comes last may let keys go that nobody changed.
    let lastChange = chronicle.quiet.history.values.compactMap { $0.last?.revision }.max() ?? 0
    for device in final.devices {
      guard let cursor = device.cursor, cursor.epoch == final.epoch else {
        violation("§5.6", "\(device.name) ends in another epoch")
        continue
      }
      if cursor.revision >= lastChange, device.values != expected {
        violation("§5.6", "\(device.name) ends with something else: \(difference(device.values, expected))")
      }
    }
    judgeReplicas(final.reopenedReplicas, of: "the swarm opened again", chronicle.model)
    judgeReplicas(final.replicas, of: "the swarm", chronicle.quiet)
    for device in final.devices where device.cursor?.revision == final.head {
      judgeRights(of: device, chronicle.quiet)
    }
    guard eras.count == 1 else { return }
    for device in final.devices {
      for id in device.formerIDs.sorted() where chronicle.quiet.replicas[id]?.isClosed == false {
        violation("§5.6", "\(device.name) no longer writes as \(id), and it is not closed")
      }
    }
    var excused: Set<StateValue> = []
    for device in final.devices {
      excused.formUnion(device.mayBeLost)
      for delta in device.doubtful { excused.formUnion(delta.writes.flatMap(\.addedElements)) }
    }
    for step in chronicle.entries {
      if case .kept = step.verdict { excused.formUnion(step.entry.writes.flatMap(\.addedElements)) }
    }
    let there = Set(chronicle.model.value(of: RunJudge.ledger)?.arrayValue ?? [])
    for device in final.devices {
      for element in device.entered where !there.contains(element) && !excused.contains(element) {
        violation("§10.1", "\(device.name) wrote \(element) into the ledger, was told so, and it is not there")
      }
    }
  }
}

extension RunJudge {
  /// What the swarm says of its replicas is what their deltas come to.
  private mutating func judgeReplicas(_ statuses: [ReplicaStatus], of who: String, _ model: PlainModel) {
    if Set(statuses.map(\.replica)) != Set(model.replicas.keys) {
      violation("§5.6", "\(who) knows \(statuses.count) replicas, expected are \(model.replicas.count)")
    }
    for status in statuses {
      guard let expected = model.replicas[status.replica] else { continue }
      let rights = model.keys.compactMapValues { $0.rights[status.replica] }
      if status.accepted != expected.accepted || status.hash != expected.hash {
        violation("§5.6", "\(who) has \(status.replica) up to \(status.accepted), not \(expected.accepted)")
      }
      if status.announced != expected.announced || status.owner != expected.owner {
        violation(
          "§5.6",
          "\(who) says that others met \(status.replica) of \(status.owner) up to \(status.announced), expected is"
            + " \(expected.owner)'s up to \(expected.announced)")
      }
      if status.isClosed != expected.isClosed || status.lastSeen != expected.lastSeen {
        violation(
          "§5.6", "\(who) says that \(status.replica) is \(status.isClosed ? "closed" : "open"), or when it wrote")
      }
      if Set(status.kept.map(\.delta.first)) != expected.kept {
        violation(
          "§5.6", "\(who) lists \(status.kept.count) refused deltas of \(status.replica), not \(expected.kept.count)")
      }
      if status.rights != rights {
        violation("§4.6", "\(who) has reserved \(status.rights) for \(status.replica), expected is \(rights)")
      }
    }
  }

  /// When a device has come home it knows what is reserved for it, and which of its deltas were refused.
  private mutating func judgeRights(of device: FinalState.Device, _ model: PlainModel) {
    guard let id = device.id, device.cursor?.epoch == final.epoch, let expected = model.replicas[id] else { return }
    let rights = model.keys.compactMapValues { $0.rights[id] }
    if device.rights != rights {
      violation("§4.6", "\(device.name) believes that it may spend \(device.rights), it is \(rights)")
    }
    let refused = Set(device.refused.filter { $0.delta.replica == id }.map(\.delta.first))
    if refused != expected.kept {
      violation("§5.6", "\(device.name) lists \(refused.count) of its deltas as refused, not \(expected.kept.count)")
    }
  }
}

extension RunJudge {
  /// What is reserved is what the replicas reserved and did not spend; and a replica that knew of the bound spent no more
  /// than it had (rule §4.6).
  mutating func judgeSpending(of entry: Entry, at revision: Revision, _ before: PlainModel, _ chronicle: Chronicle) {
    let key = StateKey(simulated: Workload.budget)
    let rights = chronicle.replay.rights(on: key)
    let expected = chronicle.model.keys[key]?.rights ?? [:]
    if rights != expected {
      violation("§4.6", "after entry \(revision) \(rights) is reserved, expected is \(expected)")
    }
    // An entry that the engine stored twice spends once.
    guard case .merged? = chronicle.entries.last?.verdict else { return }
    guard !seen.hasCopiedFiles, !seen.hasRestored, case .replica(.delta(let delta)) = entry.command,
      let counter = before.keys[key], let right = counter.rights[delta.replica], let since = chronicle.boundedSince,
      seen.homecomings.contains(where: {
        $0.replica == delta.replica && $0.last < delta.first && $0.cursor.revision >= max(since, counter.created)
      })
    else { return }
    var step: Int128 = 0
    for write in delta.writes where write.key == key {
      guard case .operations(let operations) = write.content else { continue }
      for case .increment(let amount) in operations { step += Int128(amount) }
    }
    if step < 0, -step > Int128(right.down) {
      violation("§4.6", "entry \(revision) spends \(-step) of the \(right.down) that \(delta.replica) has reserved")
    }
  }

  /// A delta names what its replica had met of others and the journal did not have at its base (rule §5.6).
  mutating func judgeMeetings(of delta: ReplicaDelta, at revision: Revision, _ chronicle: Chronicle) {
    guard !seen.hasCopiedFiles, let base = delta.base, base.epoch == chronicle.era.epoch else { return }
    for meeting in seen.meetings where meeting.replica == delta.replica && meeting.last < delta.first {
      let isJournaled = meeting.met <= chronicle.accepted(meeting.other, at: base.revision)
      if !isJournaled, delta.seen[meeting.other] < meeting.met {
        violation(
          "§5.6",
          "the delta in entry \(revision) has seen \(delta.seen[meeting.other]) writes of \(meeting.other), its replica"
            + " had met \(meeting.met)")
      }
    }
  }
}

extension RunJudge {
  /// What a device shows of what it wrote is what the journal makes of it, unless somebody else writes there before, or a
  /// rule refuses something (rule §5.6).
  mutating func judgeForecasts(of delta: ReplicaDelta, at revision: Revision, _ chronicle: Chronicle) {
    for forecast in seen.forecasts where forecast.replica == delta.replica && forecast.hash == delta.hash {
      if let cursor = forecast.cursor, cursor.epoch != chronicle.era.epoch { continue }
      let since = Int(forecast.cursor?.revision ?? 0)
      var disturbed: Set<StateKey> = []
      var isRefused = false
      for (index, step) in chronicle.entries.enumerated().dropFirst(since) {
        disturbed.formUnion(chronicle.expired[Revision(index) + 1] ?? [])
        if case .replica(.delta(let other)) = step.entry.command, other.replica == delta.replica {
          if case .kept = step.verdict { isRefused = true }
        } else if step.verdict.isEffective {
          disturbed.formUnion(step.entry.keys)
        }
      }
      if isRefused { continue }
      let now = chronicle.model.values
      for (key, value) in forecast.values.sorted(by: { $0.key < $1.key }) where !disturbed.contains(key) {
        if now[key] != value {
          violation(
            "§5.6",
            "\(forecast.device) showed \(key) as \(value.map { "\($0)" } ?? "absent"), its writes made it"
              + " \(now[key].map { "\($0)" } ?? "absent") in entry \(revision)")
        }
      }
    }
  }
}

extension KeyWrite {
  var addedElements: [StateValue] {
    switch content {
    case .operations(let operations), .value(_, let operations):
      operations.compactMap { if case .add(let element) = $0 { element } else { nil } }
    case .delete: []
    }
  }
}
