import MoaiCRDT

/// The outcomes of recent commands by (agent, id): what makes a retry, an `Idempotency-Key` and an engine that
/// delivers twice the same thing.
///
/// Part of the state, so every hub and every replay remembers the same ones: the newest `perAgent` of each agent that fit
/// into `bytesPerAgent`, none longer than `window` milliseconds of journal time. A command sent again later than that
/// applies again (decision 0012).
struct RememberedCommands: Sendable {
  /// Raising it lengthens the time in which a busy agent may retry, at about 150 bytes an id.
  static let perAgent = 10_000
  /// What the outcomes may take. It is reached by commands of many keys only, at about 20 bytes a key: the newest 400 of
  /// 1,000 keys each. The newest command is remembered whatever it takes.
  static let bytesPerAgent = 8 << 20
  static let window: Int64 = 24 * 60 * 60 * 1000

  struct Key: Hashable, Sendable {
    let agent: AgentIndex
    let id: CommandID
  }

  struct Remembered: Sendable {
    let requestHash: UInt64
    let time: Int64
    private let kept: Kept

    private enum Kept: Sendable {
      case whole(Outcome)
      /// Of a command of many keys: less than half as many bytes.
      case encoded([UInt8], revision: Revision)
    }

    init(requestHash: UInt64, outcome: Outcome, time: Int64) {
      self.requestHash = requestHash
      self.time = time
      guard case .state(let state) = outcome.result, state.keys.count > 1 else {
        kept = .whole(outcome)
        return
      }
      var writer = ByteWriter()
      outcome.encode(into: &writer)
      kept = .encoded(writer.bytes, revision: outcome.revision)
    }

    var outcome: Outcome {
      switch kept {
      case .whole(let outcome): return outcome
      case .encoded(let bytes, _):
        do {
          var reader = ByteReader(bytes)
          return try Outcome(from: &reader)
        } catch {
          preconditionFailure("what was encoded here can be decoded: \(error)")
        }
      }
    }

    var revision: Revision {
      switch kept {
      case .whole(let outcome): outcome.revision
      case .encoded(_, let revision): revision
      }
    }

    /// Bytes that it takes, about: the same on every hub.
    fileprivate var size: Int {
      switch kept {
      case .whole: 150
      case .encoded(let bytes, _): 150 + bytes.count
      }
    }

    func encodeOutcome(into writer: inout ByteWriter) {
      switch kept {
      case .whole(let outcome): outcome.encode(into: &writer)
      case .encoded(let bytes, _): writer.raw(bytes)
      }
    }

    /// When the command is forgotten.
    fileprivate var endOfWindow: Int64 {
      Deadlines.after(time, RememberedCommands.window)
    }
  }

  /// By agent index: looking an agent's memory up takes no hashing.
  private var memories: [AgentMemory] = []
  /// The revisions of commands that the last checkpoint holds and the memory does not any more.
  private var removed: [Revision] = []
  /// Commands that the last checkpoint holds in a form that is not written any more; the next one has them anew.
  private var outdated: [Key] = []

  subscript(key: Key) -> Remembered? {
    Int(key.agent) < memories.count ? memories[Int(key.agent)][key.id] : nil
  }

  var count: Int { memories.reduce(0) { $0 + $1.count } }

  /// Remembers an outcome and forgets the agent's oldest ones beyond the limits. Amortised O(1).
  mutating func remember(_ remembered: Remembered, as key: Key, deadlines: inout Deadlines) {
    append(remembered, as: key, deadlines: &deadlines)
    while memories[Int(key.agent)].isOverfull { forgetOldest(of: key.agent) }
  }

  private mutating func append(_ remembered: Remembered, as key: Key, deadlines: inout Deadlines) {
    let agent = Int(key.agent)
    while memories.count <= agent { memories.append(AgentMemory()) }
    memories[agent].append(remembered, id: key.id)
    if memories[agent].count == 1 { scheduleForgetting(of: key.agent, deadlines: &deadlines) }
  }

  /// Forgets what has left the window. Called by the agent's deadline, which may be earlier than its oldest command's.
  mutating func expire(_ agent: AgentIndex, at now: Int64, deadlines: inout Deadlines) {
    while let oldest = memories[Int(agent)].oldest, oldest.endOfWindow <= now {
      forgetOldest(of: agent)
    }
    scheduleForgetting(of: agent, deadlines: &deadlines)
  }

  private mutating func forgetOldest(of agent: AgentIndex) {
    if let saved = memories[Int(agent)].removeOldest() { removed.append(saved) }
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
  private var bytes = 0

  var isOverfull: Bool {
    count > RememberedCommands.perAgent || bytes > RememberedCommands.bytesPerAgent && count > 1
  }
  var count: Int { items.count - head }
  var oldest: RememberedCommands.Remembered? { head < items.count ? items[head].remembered : nil }
  /// The number that the next command gets.
  var next: Int { forgotten + count }

  subscript(id: CommandID) -> RememberedCommands.Remembered? {
    numbers[id].map { items[head + $0 - forgotten].remembered }
  }

  mutating func append(_ remembered: RememberedCommands.Remembered, id: CommandID) {
    numbers[id] = next
    bytes += remembered.size
    items.append(Item(id: id, remembered: remembered))
  }

  /// Forgets the oldest command; returns its revision if the last checkpoint holds it.
  mutating func removeOldest() -> Revision? {
    let oldest = items[head]
    bytes -= oldest.remembered.size
    numbers[oldest.id] = nil
    head += 1
    forgotten += 1
    if head > 64, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
    return forgotten <= saved ? oldest.remembered.revision : nil
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
    var removed: [Revision] = []
    var outdated: [Key] = []
    fileprivate var savedBefore: [Int] = []
  }

  /// The commands remembered and forgotten since the last call.
  mutating func takeChanges() -> Changes {
    var changes = Changes(removed: removed, outdated: outdated, savedBefore: memories.map(\.saved))
    removed = []
    outdated = []
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
    outdated.append(contentsOf: changes.outdated)
  }

  /// Makes the next checkpoint take everything that is remembered.
  mutating func markAllUnsaved() {
    removed = []
    outdated = []
    for agent in memories.indices { memories[agent].saved = 0 }
  }

  /// Fills an empty memory from a checkpoint's records: all of them, also those of a version that had other limits.
  ///
  /// - Parameter areOutdated: they have the form that is not written any more.
  /// - Returns: false if a command is there twice.
  mutating func load(
    _ records: [(key: Key, remembered: Remembered)], areOutdated: Bool, deadlines: inout Deadlines
  ) -> Bool {
    for (key, remembered) in records.sorted(by: { $0.remembered.revision < $1.remembered.revision }) {
      guard self[key] == nil else { return false }
      append(remembered, as: key, deadlines: &deadlines)
    }
    if areOutdated {
      outdated = records.map(\.key)
    } else {
      for agent in memories.indices { memories[agent].saved = memories[agent].next }
    }
    return true
  }
}
