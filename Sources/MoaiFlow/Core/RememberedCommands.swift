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

    /// When the command is forgotten.
    fileprivate var endOfWindow: Int64 {
      Deadlines.after(time, RememberedCommands.window)
    }
  }

  /// By agent index: looking an agent's memory up takes no hashing.
  private var memories: [AgentMemory] = []
  /// Commands that the last checkpoint holds and the memory does not any more.
  private var removed: [Key] = []

  subscript(key: Key) -> Remembered? {
    Int(key.agent) < memories.count ? memories[Int(key.agent)][key.id] : nil
  }

  var count: Int { memories.reduce(0) { $0 + $1.count } }

  /// Remembers an outcome and forgets the agent's oldest one beyond the limit. Amortised O(1).
  mutating func remember(_ remembered: Remembered, as key: Key, deadlines: inout Deadlines) {
    let agent = Int(key.agent)
    while memories.count <= agent { memories.append(AgentMemory()) }
    let wasEmpty = memories[agent].count == 0
    memories[agent].append(remembered, id: key.id)
    if memories[agent].count > RememberedCommands.perAgent { forgetOldest(of: key.agent) }
    if wasEmpty { scheduleForgetting(of: key.agent, deadlines: &deadlines) }
  }

  /// Forgets what has left the window. Called by the agent's deadline, which may be earlier than its oldest command's.
  mutating func expire(_ agent: AgentIndex, at now: Int64, deadlines: inout Deadlines) {
    while let oldest = memories[Int(agent)].oldest, oldest.endOfWindow <= now {
      forgetOldest(of: agent)
    }
    scheduleForgetting(of: agent, deadlines: &deadlines)
  }

  private mutating func forgetOldest(of agent: AgentIndex) {
    if let saved = memories[Int(agent)].removeOldest() { removed.append(Key(agent: agent, id: saved)) }
  }

  private func scheduleForgetting(of agent: AgentIndex, deadlines: inout Deadlines) {
    deadlines.set(.forgetCommands(agent), at: memories[Int(agent)].oldest?.endOfWindow)
  }
}

/// One agent's commands, oldest first.
private struct AgentMemory: Sendable {
  private struct Item: Sendable {
    let id: CommandID
    let remembered: RememberedCommands.Remembered
  }

  /// From `head` on; before it is room that was given up.
  private var items: [Item] = []
  private var head = 0
  /// How many commands were ever forgotten: the number of the item at `head`.
  private var forgotten = 0
  /// The number of each command since the first.
  private var numbers: [CommandID: Int] = [:]
  /// Commands with smaller numbers are in the last checkpoint.
  var saved = 0

  var count: Int { items.count - head }
  var oldest: RememberedCommands.Remembered? { head < items.count ? items[head].remembered : nil }
  /// The number that the next command gets.
  var next: Int { forgotten + count }

  subscript(id: CommandID) -> RememberedCommands.Remembered? {
    numbers[id].map { items[head + $0 - forgotten].remembered }
  }

  mutating func append(_ remembered: RememberedCommands.Remembered, id: CommandID) {
    numbers[id] = next
    items.append(Item(id: id, remembered: remembered))
  }

  /// Forgets the oldest command; returns its id if the last checkpoint holds it.
  mutating func removeOldest() -> CommandID? {
    let id = items[head].id
    numbers[id] = nil
    head += 1
    forgotten += 1
    if head > 64, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
    return forgotten <= saved ? id : nil
  }

  /// The commands numbered `start` and later.
  func items(from start: Int) -> [(CommandID, RememberedCommands.Remembered)] {
    items[(head + max(0, start - forgotten))...].map { ($0.id, $0.remembered) }
  }
}

// MARK: - Checkpoint

extension RememberedCommands {
  /// What a checkpoint takes from the memory, and what to go back to if it is not saved.
  struct Changes {
    var added: [(key: Key, remembered: Remembered)] = []
    var removed: [Key] = []
    fileprivate var savedBefore: [Int] = []
  }

  /// The commands remembered and forgotten since the last call.
  mutating func takeChanges() -> Changes {
    var changes = Changes(removed: removed, savedBefore: memories.map(\.saved))
    removed = []
    for agent in memories.indices {
      for (id, remembered) in memories[agent].items(from: memories[agent].saved) {
        changes.added.append((Key(agent: AgentIndex(agent), id: id), remembered))
      }
      memories[agent].saved = memories[agent].next
    }
    return changes
  }

  /// Takes back ``takeChanges()`` after a checkpoint that was not saved.
  mutating func restore(_ changes: Changes) {
    for (agent, saved) in changes.savedBefore.enumerated() { memories[agent].saved = saved }
    for agent in changes.savedBefore.count..<memories.count { memories[agent].saved = 0 }
    removed.append(contentsOf: changes.removed)
  }

  /// Makes the next checkpoint take everything that is remembered.
  mutating func markAllUnsaved() {
    removed = []
    for agent in memories.indices { memories[agent].saved = 0 }
  }

  /// Fills an empty memory from a checkpoint's records.
  mutating func load(_ records: [(key: Key, remembered: Remembered)], deadlines: inout Deadlines) {
    for (key, remembered) in records.sorted(by: { $0.remembered.outcome.revision < $1.remembered.outcome.revision }) {
      remember(remembered, as: key, deadlines: &deadlines)
    }
    for agent in memories.indices { memories[agent].saved = memories[agent].next }
  }
}
