import MoaiCRDT

/// The outcomes of recent commands by (agent, id): what makes a retry, an `Idempotency-Key` and an engine that
/// delivers twice the same thing.
///
/// Part of the state, so every hub and every replay remembers the same ones: the newest `perAgent` of each agent, none
/// longer than `window` milliseconds of journal time. A command sent again later than that applies again.
struct RememberedCommands: Sendable {
  /// Raising it lengthens the time in which a busy agent may retry, at about 150 bytes an id.
  static let perAgent = 10_000
  static let window: Int64 = 24 * 60 * 60 * 1000

  struct Key: Hashable, Sendable {
    let agent: AgentIndex
    let id: CommandID
  }

  struct Remembered: Sendable {
    let requestHash: UInt64
    let outcome: Outcome
    let time: Int64
  }

  /// One agent's ids, oldest first, from `head`.
  private struct Queue: Sendable {
    var ids: [CommandID] = []
    var head = 0

    var count: Int { ids.count - head }
    var first: CommandID? { head < ids.count ? ids[head] : nil }

    mutating func removeFirst() -> CommandID {
      defer {
        head += 1
        if head > 64, head * 2 > ids.count {
          ids.removeFirst(head)
          head = 0
        }
      }
      return ids[head]
    }
  }

  private var outcomes: [Key: Remembered] = [:]
  private var queues: [AgentIndex: Queue] = [:]
  private var added: Set<Key> = []
  private var removed: Set<Key> = []

  subscript(key: Key) -> Remembered? { outcomes[key] }

  var count: Int { outcomes.count }

  /// Remembers an outcome and forgets the agent's oldest one beyond the limit.
  mutating func remember(_ remembered: Remembered, as key: Key, deadlines: inout Deadlines) {
    outcomes[key] = remembered
    note(addedKey: key)
    queues[key.agent, default: Queue()].ids.append(key.id)
    if let count = queues[key.agent]?.count, count > RememberedCommands.perAgent {
      forgetOldest(of: key.agent)
    }
    scheduleForgetting(of: key.agent, deadlines: &deadlines)
  }

  /// Forgets what has left the window. Called by the agent's deadline.
  mutating func expire(_ agent: AgentIndex, at now: Int64, deadlines: inout Deadlines) {
    while let oldest = oldest(of: agent), oldest.time + RememberedCommands.window <= now {
      forgetOldest(of: agent)
    }
    scheduleForgetting(of: agent, deadlines: &deadlines)
  }

  private func oldest(of agent: AgentIndex) -> Remembered? {
    queues[agent]?.first.flatMap { outcomes[Key(agent: agent, id: $0)] }
  }

  private mutating func forgetOldest(of agent: AgentIndex) {
    guard let id = queues[agent]?.removeFirst() else { return }
    let key = Key(agent: agent, id: id)
    outcomes[key] = nil
    if added.remove(key) == nil { removed.insert(key) }
  }

  private func scheduleForgetting(of agent: AgentIndex, deadlines: inout Deadlines) {
    deadlines.set(.forgetCommands(agent), at: oldest(of: agent).map { $0.time + RememberedCommands.window })
  }

  private mutating func note(addedKey key: Key) {
    removed.remove(key)
    added.insert(key)
  }
}

// MARK: - Checkpoint

extension RememberedCommands {
  /// Keys added and removed since the last call, in a stable order.
  mutating func takeChanges() -> (added: [Key], removed: [Key]) {
    defer {
      added.removeAll(keepingCapacity: true)
      removed.removeAll(keepingCapacity: true)
    }
    return (Array(added), Array(removed))
  }

  /// Takes back ``takeChanges()`` after a checkpoint that was not saved.
  mutating func restoreChanges(added lostAdded: [Key], removed lostRemoved: [Key]) {
    for key in lostAdded where outcomes[key] != nil { added.insert(key) }
    for key in lostAdded where outcomes[key] == nil { removed.insert(key) }
    removed.formUnion(lostRemoved.filter { outcomes[$0] == nil })
  }

  /// Fills an empty memory from a checkpoint's records.
  mutating func load(_ records: [(key: Key, remembered: Remembered)], deadlines: inout Deadlines) {
    for (key, remembered) in records.sorted(by: { $0.remembered.outcome.revision < $1.remembered.outcome.revision }) {
      outcomes[key] = remembered
      queues[key.agent, default: Queue()].ids.append(key.id)
    }
    for agent in queues.keys { scheduleForgetting(of: agent, deadlines: &deadlines) }
  }
}
