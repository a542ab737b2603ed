import MoaiCRDT
import MoaiFlow

/// Judges a run when it is over: replays everything that was ever stored, epoch by epoch, beside the plain model, and
/// holds what everybody saw against it.
struct RunJudge {
  /// Violations of one run that are reported; the first ones tell most.
  private static let limit = 20

  let seen: RunLog.Seen
  let eras: [SimulatedDisk.Era]
  let final: FinalState
  private(set) var violations: [SimulationViolation] = []
  var statistics = RunStatistics()
  /// The chain hash of the last epoch.
  private(set) var chain: UInt64 = 0

  /// What everybody had when all was quiet.
  struct FinalState {
    let epoch: Epoch
    /// The last entry then. Closing the swarm may add one that moves the horizon.
    let head: Revision
    let status: SwarmStatus?
    let served: [StateKey: StateReading]
    let copies: [(name: String, mirror: StateMirror)]
    let followers: [(name: String, mirror: StateMirror)]
    let devices: [Device]
    /// The last checkpoint after closing, and what a swarm opened from it shows.
    let reopened: [StateKey: StateReading]
    let replicas: [ReplicaStatus]
    let reopenedReplicas: [ReplicaStatus]
    /// What rewinds would do in the swarm opened again.
    let rehearsals: [Rehearsal]

    struct Device {
      let name: String
      let id: ReplicaID?
      /// Ids under which it no longer writes.
      let formerIDs: Set<ReplicaID>
      let rights: [StateKey: CounterRight]
      let refused: [KeptDelta]
      let values: [StateKey: StateValue]
      let cursor: Cursor?
      let entered: [StateValue]
      let mayBeLost: [StateValue]
      let doubtful: [ReplicaDelta]
    }
  }

  init(_ world: SimulatedWorld) async throws {
    seen = world.log.all
    let served = await world.readAll()
    var devices: [FinalState.Device] = []
    let ids = await world.replicaIDs()
    for device in world.devices {
      devices.append(
        .init(
          name: device.name, id: await device.replica?.id, formerIDs: device.ids.subtracting(ids),
          rights: await device.replica?.rights ?? [:], refused: await device.replica?.refused ?? [],
          values: await device.replica?.shownValues ?? [:], cursor: await device.replica?.cursor,
          entered: device.entered, mayBeLost: device.mayBeLost, doubtful: await device.replica?.doubtful ?? []))
    }
    let replicas = try await world.host.running?.swarm.replicas() ?? []
    let status = seen.statuses.last
    let head = Revision(world.disk.history.last?.entries.count ?? 0)
    await world.host.shutDown()
    let store = try await world.disk.open()
    let swarm = try await Swarm.open(.default, in: store, createIfMissing: false, options: world.host.options)
    let reopened = try await swarm.readAll()
    let reopenedReplicas = try await swarm.replicas()
    let rehearsals = try await RunJudge.rehearse(in: swarm, seed: seen.digest.finalize())
    try await swarm.close()
    eras = world.disk.history
    final = FinalState(
      epoch: eras[eras.count - 1].epoch, head: head, status: status, served: served,
      copies: world.pollers.map { ($0.name, $0.mirror) }, followers: world.followers.map { ($0.name, $0.mirror) },
      devices: devices, reopened: reopened, replicas: replicas, reopenedReplicas: reopenedReplicas,
      rehearsals: rehearsals)
    statistics.copies = seen.copies.count
    statistics.readings = seen.readings.count
    statistics.syncs = seen.syncs.count
    statistics.exchanges = seen.exchanges
    statistics.eras = eras.count
  }

  mutating func violation(_ rule: String, _ text: String) {
    guard violations.count < RunJudge.limit else { return }
    violations.append(SimulationViolation(rule: rule, text: text.count > 400 ? text.prefix(400) + "…" : text))
  }

  mutating func judge() async throws {
    for (index, era) in eras.enumerated() {
      var chronicle = Chronicle(era: era, isLast: index == eras.count - 1)
      try judge(era, &chronicle)
      judgeCommands(era, chronicle)
      if chronicle.isLast {
        judgeFinalState(chronicle)
        judgeRehearsals(chronicle)
      }
    }
    judgeSyncs()
  }
}

/// What the replay of one epoch found out about its entries.
struct Chronicle {
  let era: SimulatedDisk.Era
  let isLast: Bool
  var model: PlainModel
  var replay: SwarmState
  /// Entry by entry, from revision 1 on.
  var entries: [(entry: Entry, verdict: PlainVerdict, outcome: Outcome)] = []
  /// What held after each entry, from the empty journal on.
  var moments: [(time: Int64, retention: HistoryRetention, horizon: Revision)] = [(0, HistoryRetention(), 0)]
  /// The model when all was quiet, before the swarm was closed: closing may add an entry that moves the horizon, and lets
  /// go what nobody had changed.
  var quiet: PlainModel
  /// The revision since which a policy has bounded the budget without a break.
  var boundedSince: Revision?
  /// How far each replica's writes were in, from which revision on.
  var accepted: [ReplicaID: [(revision: Revision, number: UInt64)]] = [:]
  /// Keys that were let go because nobody had changed them, by revision.
  var expired: [Revision: Set<StateKey>] = [:]
  var naive = NaiveRewind()

  func accepted(_ replica: ReplicaID, at revision: Revision) -> UInt64 {
    accepted[replica]?.last { $0.revision <= revision }?.number ?? 0
  }

  init(era: SimulatedDisk.Era, isLast: Bool) {
    self.era = era
    self.isLast = isLast
    model = PlainModel(epoch: era.epoch)
    quiet = model
    replay = SwarmState(epoch: era.epoch)
  }

  /// Revisions of the entries that took effect, by command.
  var effects: [CommandID: [Revision]] {
    var effects: [CommandID: [Revision]] = [:]
    for (index, step) in entries.enumerated() where step.verdict.isEffective {
      effects[step.entry.id, default: []].append(Revision(index) + 1)
    }
    return effects
  }
}

// MARK: - Entry by entry

extension RunJudge {
  private mutating func judge(_ era: SimulatedDisk.Era, _ chronicle: inout Chronicle) throws {
    let copies = Dictionary(grouping: seen.copies.filter { $0.cursor.epoch == era.epoch }, by: \.cursor.revision)
    let readings = Dictionary(grouping: seen.readings.filter { $0.cursor.epoch == era.epoch }, by: \.cursor.revision)
    let statuses = Dictionary(grouping: seen.statuses.filter { $0.epoch == era.epoch }, by: \.revision)
    let checkpoints = Dictionary(grouping: era.checkpoints, by: \.header.revision)
    var vanished: Set<VanishedElement> = []
    var revision: Revision = 0
    while true {
      if let floor = era.floor, floor.header.revision == revision { chronicle.replay = try restored(floor, era) }
      for copy in copies[revision] ?? [] where copy.values != chronicle.model.values {
        violation(
          "§5.3",
          "\(copy.reader) at \(revision) has what the swarm had not: "
            + difference(copy.values, chronicle.model.values))
      }
      for reading in readings[revision] ?? [] { judge(reading, chronicle.model, at: revision) }
      for status in statuses[revision] ?? [] where status.chain != chronicle.replay.chain {
        violation("§10.1", "the swarm at \(revision) had another chain hash than the replay")
      }
      for checkpoint in checkpoints[revision] ?? [] { judge(checkpoint, chronicle.replay) }
      if chronicle.isLast, revision == final.head { chronicle.quiet = chronicle.model }
      guard revision < Revision(era.entries.count) else { break }
      revision += 1
      judge(era.entries[Int(revision) - 1], &chronicle, &vanished)
    }
    for revision in copies.keys.sorted() where revision > Revision(era.entries.count) {
      violation("§5.3", "a reader is at \(revision), behind the end of the journal at \(era.entries.count)")
    }
    if chronicle.isLast { chain = chronicle.replay.chain }
    statistics.entries += era.entries.count
    statistics.checkpoints += era.checkpoints.count
  }

  /// What a swarm begins with that was restored from a backup with a floor: its chain hash is the old epoch's.
  private func restored(_ floor: SimulatedDisk.SavedCheckpoint, _ era: SimulatedDisk.Era) throws -> SwarmState {
    var loader = CheckpointLoader(epoch: era.epoch)
    for record in floor.records { try loader.take(record) }
    return try loader.finish(floor.header)
  }

  private mutating func judge(
    _ stored: JournalEntry, _ chronicle: inout Chronicle, _ vanished: inout Set<VanishedElement>
  ) {
    let revision = stored.revision
    let entry: Entry
    do { entry = try Entry(decoding: stored.payload) } catch {
      return violation("§10.1", "entry \(revision) cannot be read: \(error)")
    }
    let before = chronicle.model
    judgePlan(of: entry, at: revision, inherited: chronicle.era.inherited, epoch: chronicle.era.epoch, before)
    let applied = chronicle.replay.apply(
      entry, revision: revision, appendedAt: stored.appendedAt, payloadHash: stored.payload.simulationHash)
    let verdict = chronicle.model.apply(entry, appendedAt: stored.appendedAt)
    chronicle.entries.append((entry, verdict, applied.outcome))
    RunJudge.record(entry, verdict, at: revision, before, in: &chronicle)
    let model = chronicle.model
    chronicle.expired[revision] = Set(model.expired)
    chronicle.moments.append((model.time, model.settings.retention, model.horizon))
    let isBounded = model.policy(of: StateKey(simulated: Workload.budget))?.bounds.minimum != nil
    chronicle.boundedSince = isBounded ? chronicle.boundedSince ?? revision : nil
    judgeTrim(of: entry, at: revision, chronicle)
    if case .replica(.delta(let delta)) = entry.command, case .merged = verdict {
      judgeMeetings(of: delta, at: revision, chronicle)
      judgeForecasts(of: delta, at: revision, chronicle)
    }
    if case .replica(let command) = entry.command, let replica = model.replicas[command.replica] {
      chronicle.accepted[command.replica, default: []].append((revision, replica.accepted))
    }
    if !verdict.agrees(with: applied.outcome) {
      violation("model", "entry \(revision): the swarm says \(applied.outcome.result), the model \(verdict)")
    }
    if case .refused = verdict { statistics.refused += 1 }
    if case .repeated = verdict { statistics.repeats += 1 }
    judgeSpending(of: entry, at: revision, before, chronicle)
    judgeLedger(chronicle.model, at: revision)
    for key in entry.keys + chronicle.model.expired {
      let reading = chronicle.replay.reading(of: key)
      let expected = chronicle.model.keys[key]
      if let text = RunJudge.difference(reading, expected) {
        violation("model", "\(key) after entry \(revision): \(text)")
      }
      judgeReturns(of: key, in: entry, before, chronicle.model, &vanished)
    }
  }

  /// Rule §10.1: what was removed comes back only if somebody adds it.
  private mutating func judgeReturns(
    of key: StateKey, in entry: Entry, _ before: PlainModel, _ after: PlainModel,
    _ vanished: inout Set<VanishedElement>
  ) {
    guard let old = before.keys[key], let new = after.keys[key], old.type == .set, new.type == .set,
      case .array(let then) = old.value, case .array(let now) = new.value
    else { return }
    for element in then where !now.contains(element) { vanished.insert(VanishedElement(key: key, element: element)) }
    for element in now where !then.contains(element) {
      guard vanished.remove(VanishedElement(key: key, element: element)) != nil, !entry.adds(element, to: key) else {
        continue
      }
      violation(
        "§4.9", "\(key): \(element) came back in entry \(after.revision), which does not add it: \(entry.command)")
    }
  }

  private mutating func judge(
    _ seen: (key: StateKey, cursor: Cursor, reading: StateReading?), _ model: PlainModel, at revision: Revision
  ) {
    if let text = RunJudge.difference(seen.reading, model.keys[seen.key]) {
      violation("§4.3", "\(seen.key) was read at \(revision): \(text)")
    }
  }

  /// A checkpoint is the whole swarm at its revision, hidden parts included.
  private mutating func judge(_ saved: SimulatedDisk.SavedCheckpoint, _ replay: SwarmState) {
    let whole = replay.wholeCheckpoint()
    if whole.header != saved.header.header {
      violation("checkpoint", "the header of the checkpoint at \(saved.header.revision) is not the replay's")
    }
    let expected = Dictionary(whole.upserted.map { ($0.position, $0.bytes) }, uniquingKeysWith: { $1 })
    let found = Dictionary(saved.records.map { ($0.position, $0.bytes) }, uniquingKeysWith: { $1 })
    guard expected != found else { return }
    let wrong = Set(expected.keys).union(found.keys).filter { expected[$0] != found[$0] }
      .map { "table \($0.table) \(String(decoding: $0.id, as: UTF8.self).debugDescription)" }.sorted()
    violation("checkpoint", "the checkpoint at \(saved.header.revision) is not the replay's: \(wrong.prefix(3))")
  }

  static func difference(_ reading: StateReading?, _ expected: PlainModel.Key?) -> String? {
    guard let reading, let expected else {
      return (reading == nil) == (expected == nil)
        ? nil : "it is \(reading == nil ? "absent" : "there"), expected is the opposite"
    }
    if reading.value != expected.value { return "it is \(reading.value), expected is \(expected.value)" }
    if reading.type != expected.type { return "its type is \(reading.type), expected is \(expected.type)" }
    if reading.strategy != expected.strategy { return "its strategy is \(reading.strategy)" }
    if reading.version != expected.version { return "its version is \(reading.version), not \(expected.version)" }
    if reading.revision != expected.revision { return "its revision is \(reading.revision), not \(expected.revision)" }
    if reading.agent != expected.agent { return "its agent is \(reading.agent)" }
    if reading.siblings != expected.siblings {
      return "its siblings are \(reading.siblings.map { "\($0)" } ?? "none"), expected are"
        + " \(expected.siblings.map { "\($0)" } ?? "none")"
    }
    return nil
  }

  func difference(_ found: [StateKey: StateValue], _ expected: [StateKey: StateValue]) -> String {
    let keys = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
    return keys.prefix(2).map { key in
      "\(key): \(found[key].map { "\($0)" } ?? "absent") instead of \(expected[key].map { "\($0)" } ?? "absent")"
    }.joined(separator: "; ")
  }
}

/// An element that a set showed once and showed no longer.
private struct VanishedElement: Hashable {
  let key: StateKey
  let element: StateValue
}

extension Entry {
  /// The keys that the entry writes, each once.
  var keys: [StateKey] {
    let writes = writes
    var keys: [StateKey] = []
    for write in writes where !keys.contains(write.key) { keys.append(write.key) }
    return keys
  }

  /// The writes that the entry makes.
  var writes: [KeyWrite] {
    switch command {
    case .state(.write(let writes)): writes
    case .replica(.delta(let delta)): delta.writes
    default: []
    }
  }

  fileprivate func adds(_ element: StateValue, to key: StateKey) -> Bool {
    writes.contains { write in
      switch write.content {
      case .operations(let operations), .value(_, let operations):
        write.key == key && operations.contains(.add(element))
      case .delete: false
      }
    }
  }
}

extension [UInt8] {
  var simulationHash: UInt64 {
    var hash = StableHash()
    hash.combine(bytes: self)
    return hash.finalize()
  }
}
