import MoaiCRDT

/// Some keys as they would be if certain entries had not been: the second pass of a rewind.
///
/// The entries that count are applied again, operation by operation, to copies of the keys' records. What an entry may do
/// was decided when it was accepted, so conditions, policies and limits are not asked again. What a rewind brought back
/// gets the dot that it got then, so that who had not seen the rewind has not seen it here either; else rewinds do
/// nothing here, because what they covered does not count.
struct Counterfactual {
  private let agents: Agents
  private let epoch: Epoch
  private var table = StateTable()
  private var courses: [StateKey: Course] = [:]
  /// The keys that each entry has to do with, in order.
  private var keysAt: [Revision: [StateKey]] = [:]
  /// Keys created anew by an entry that counts, while here they still stand in an older incarnation.
  private(set) var recreated: Set<StateKey> = []
  /// Keys whose counter would leave 64 bits on the way.
  private(set) var overflown: Set<StateKey> = []

  /// How far a key has come along its timeline.
  private struct Course {
    let timeline: KeyTimeline
    let counts: [Bool]
    var position = 0
    /// The key's incarnation in what really happened.
    var incarnation: Dot?
  }

  /// `counting`: per key the positions of its timeline that count.
  init(_ scan: HistoryScan, counting: [StateKey: [Bool]]) {
    agents = scan.end.agents
    epoch = scan.end.epoch
    for (key, counts) in counting.sorted(by: { $0.key < $1.key }) {
      guard let timeline = scan.timelines[key] else { continue }
      var course = Course(timeline: timeline, counts: counts)
      if let slot = scan.start.state.keys.slot(of: key) {
        let record = scan.start.state.keys[slot].record
        course.incarnation = record.isDeleted ? nil : record.header.created
        _ = table.keys.insert(record, id: key)
      }
      courses[key] = course
      for fact in timeline.facts where keysAt[fact.revision]?.last != key {
        keysAt[fact.revision, default: []].append(key)
      }
    }
  }

  /// Goes through the journal again. Costs the bytes read and the operations of the entries that count.
  mutating func run(_ journal: any Journal, after start: Revision, through end: Revision) async throws(SwarmError) {
    var position = start
    while position < end {
      let page: [JournalEntry]
      do {
        page = try await journal.read(
          after: position, entryLimit: Int(min(1_000, end - position)), byteLimit: 8 << 20)
      } catch {
        throw SwarmError(error)
      }
      guard let last = page.last else { throw .corrupt(revision: position + 1, "the entry is missing") }
      for stored in page {
        guard let keys = keysAt[stored.revision] else { continue }
        do {
          apply(try Entry(decoding: stored.payload), at: stored.revision, to: keys)
        } catch {
          throw .corrupt(revision: stored.revision, "\(error)")
        }
      }
      position = last.revision
    }
  }

  /// The key as it would be; nil: it would never have been.
  func record(of key: StateKey) -> KeyRecord? {
    table.keys.slot(of: key).map { table.keys[$0].record }
  }

  private mutating func apply(_ entry: Entry, at revision: Revision, to keys: [StateKey]) {
    var transaction: Transaction?
    for key in keys {
      while let (fact, counts) = takeFact(of: key, at: revision) {
        var current =
          transaction
          ?? Transaction(
            epoch: epoch, revision: revision, timestamp: fact.timestamp, author: fact.author, authorName: entry.author,
            offline: entry.command.offline)
        switch (fact.kind, entry.command) {
        case (.expiry, _): write([KeyWrite(key: key, content: .delete)], of: key, fact, in: &current)
        case (.write, .state(.write(let writes))) where counts:
          noteRecreation(of: key, fact)
          write(writes.filter { $0.key == key }, of: key, fact, in: &current)
        case (.write, .replica(.delta(let delta))) where counts:
          noteRecreation(of: key, fact)
          var number: UInt64 = 0
          for one in delta.writes(at: delta.base(in: epoch)) {
            current.beginWrite(at: number)
            number += one.numbers
            if one.key == key { write([one], of: key, fact, in: &current) }
          }
        case (.rewind, .state(.rewind(let rewind))): relabel(key, by: rewind, at: revision)
        default: break
        }
        transaction = current
        courses[key]?.incarnation = fact.incarnation?.created
      }
    }
  }

  private mutating func takeFact(of key: StateKey, at revision: Revision) -> (KeyFact, counts: Bool)? {
    guard let course = courses[key], course.position < course.timeline.facts.count,
      course.timeline.facts[course.position].revision == revision
    else { return nil }
    courses[key]?.position += 1
    return (course.timeline.facts[course.position], course.counts[course.position])
  }

  private mutating func noteRecreation(of key: StateKey, _ fact: KeyFact) {
    guard let created = fact.incarnation?.created, created != courses[key]?.incarnation else { return }
    if let slot = table.keys.slot(of: key), !table.keys[slot].record.isDeleted { recreated.insert(key) }
  }

  /// Applies writes as they were accepted: with the type that the key had then, and without condition.
  private mutating func write(
    _ writes: [KeyWrite], of key: StateKey, _ fact: KeyFact, in transaction: inout Transaction
  ) {
    for write in writes {
      let slot = table.keys.slot(of: key)
      let isAlive = slot.map { !table.keys[$0].record.isDeleted } ?? false
      let unconditional = KeyWrite(
        key: key, content: write.content, base: write.base ?? write.condition,
        declaredType: isAlive ? nil : fact.incarnation?.type ?? write.declaredType,
        strategy: isAlive ? nil : fact.incarnation?.strategy ?? write.strategy)
      do {
        _ = try table.apply([unconditional], in: &transaction, settings: .unlimited, agents: agents)
      } catch .counterOverflow {
        overflown.insert(key)
      } catch {
        // Only a key that was created anew as something else refuses; it is known as such.
      }
      if let slot = table.keys.slot(of: key), table.keys[slot].record.isDeleted { recreated.remove(key) }
    }
  }

  /// Gives what a rewind brought back, where it is here too, the dot that it got.
  private mutating func relabel(_ key: StateKey, by rewind: RewindCommand, at revision: Revision) {
    guard let slot = table.keys.slot(of: key), !table.keys[slot].record.isDeleted else { return }
    var operation: UInt64 = 0
    for effect in rewind.effects {
      if case .create = effect.effect { operation += 1 }
      guard effect.key == key else {
        operation += UInt64(effect.effect.restored.count)
        continue
      }
      if case .create = effect.effect {
        table.keys[slot].record.header.created = Dot(journal: epoch, revision: revision, operation: operation - 1)
      }
      guard table.keys[slot].record.header.type != .counter else { return }
      for restored in effect.effect.restored {
        let dot = Dot(journal: epoch, revision: revision, operation: operation)
        operation += 1
        table.keys[slot].record.withWrites(of: restored.part) { writes in
          guard let match = writes.first(where: { restored.isLike($0.value, agents) }) else { return }
          writes.removeValue(of: match.dot)
          let known = match.value
          writes.insert(
            dot, Written(value: known.value, timestamp: known.timestamp, agent: known.agent, entered: revision))
        }
      }
      return
    }
  }
}

extension RestoredWrite {
  /// Whether this is the same write, whatever dot it has.
  func isLike(_ written: Written, _ agents: Agents) -> Bool {
    timestamp == written.timestamp && agents[written.agent] == agent && value == written.value
  }
}

extension SwarmSettings {
  /// Lets everything through that was accepted once.
  fileprivate static let unlimited = SwarmSettings(limits: SwarmLimits(valueBytes: .max, siblings: .max))
}
