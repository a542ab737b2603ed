public import MoaiCRDT

/// Asks who changed a key, when, and how (rule §6.1).
public struct HistoryQuery: Sendable, Hashable {
  public var key: StateKey
  /// Changes in one page at most.
  public var limit: Int
  /// Only changes before this revision; nil: from the newest on.
  public var before: RevisionReference?

  public init(_ key: StateKey, limit: Int = 50, before: RevisionReference? = nil) {
    self.key = key
    self.limit = limit
    self.before = before
  }
}

/// The changes of a key, newest first, across its incarnations. What was refused, or wrote what was there already,
/// changed nothing and is not here.
public struct HistoryPage: Sendable, Hashable {
  public struct Change: Sendable, Hashable {
    public let revision: Revision
    public let agent: AgentID
    /// The host that acted for the agent.
    public let via: AgentID?
    public let timestamp: Timestamp
    public let type: CRDTType
    /// How many entries had changed the key in this incarnation, this one included.
    public let version: Int64
    /// Whether the key came into being with this change.
    public let isCreation: Bool
    /// What turns the value before into the value after.
    public let content: StateChange.Content
    /// What was taken back, if the change is a rewind.
    public let rewind: RewindTarget?
  }

  public let key: StateKey
  public let changes: [Change]
  /// What to give as `before` for the page after this one; nil: this is the last that can be read.
  public let next: Revision?
  /// Changes up to here can no longer be read.
  public let horizon: Revision
  /// How far the swarm had come.
  public let revision: Revision
}

extension Swarm {
  /// Pages of a history hold at most this many changes.
  static let historyLimit = 1_000

  /// Costs a replay of the journal up to the newest change in the page; keeps one page in memory.
  func history(_ query: HistoryQuery) async throws(SwarmError) -> HistoryPage {
    guard query.limit > 0 else { throw .invalid(field: "/limit", "\(query.limit) is no limit") }
    let head = core.revision
    var end = head
    if let before = query.before { end = try resolve(before, field: "/before") - 1 }
    let horizon = horizon
    var reader = HistoryReader(key: query.key, limit: min(query.limit, Swarm.historyLimit))
    if end > horizon { try await reader.read(journal, from: horizon, through: end) }
    return reader.page(horizon: horizon, head: head)
  }
}

/// Gathers the newest changes of one key on the way through a journal.
struct HistoryReader {
  let key: StateKey
  let limit: Int
  /// A ring of the newest `limit` + 1 changes.
  private var ring: [HistoryPage.Change] = []
  private var count = 0

  init(key: StateKey, limit: Int) {
    self.key = key
    self.limit = limit
  }

  mutating func read(
    _ journal: any Journal, from horizon: Revision, through end: Revision
  ) async throws(SwarmError) {
    var walk = JournalWalk(journal, from: try await SwarmState.past(of: journal, at: horizon), through: end)
    var wasAbsent = !walk.state.isAlive(key)
    while let step = try await walk.next() {
      let applied = walk.apply(step)
      for change in applied.changes where change.key == key {
        let isAbsent = if case .deleted = change.content { true } else { false }
        append(change, step, wasAbsent: wasAbsent, walk.state)
        wasAbsent = isAbsent
      }
    }
  }

  func page(horizon: Revision, head: Revision) -> HistoryPage {
    let ordered = count <= ring.count ? ring : Array(ring[(count % ring.count)...] + ring[..<(count % ring.count)])
    let newest = Array(ordered.reversed())
    return HistoryPage(
      key: key, changes: Array(newest.prefix(limit)), next: newest.count > limit ? newest[limit - 1].revision : nil,
      horizon: horizon, revision: head)
  }

  private mutating func append(
    _ change: StateChange, _ step: JournalWalk.Step, wasAbsent: Bool, _ state: SwarmState
  ) {
    var rewind: RewindTarget?
    if case .state(.rewind(let command)) = step.entry.command, change.agent == step.entry.author {
      rewind = command.target
    }
    let slot = state.state.keys.slot(of: key)
    let item = HistoryPage.Change(
      revision: step.revision, agent: change.agent, via: step.entry.via, timestamp: change.timestamp, type: change.type,
      version: slot.map { state.state.keys[$0].record.header.version } ?? 0, isCreation: wasAbsent,
      content: change.content, rewind: rewind)
    if ring.count <= limit { ring.append(item) } else { ring[count % ring.count] = item }
    count += 1
  }
}

extension SwarmState {
  /// Whether the key is there.
  func isAlive(_ key: StateKey) -> Bool {
    state.keys.slot(of: key).map { !state.keys[$0].record.isDeleted } ?? false
  }
}
