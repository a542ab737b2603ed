import MoaiCRDT

/// What the journal knows of one agent that has registered.
struct AgentRecord: Sendable {
  var profile = AgentProfile()
  /// The revision at which this incarnation began: no other incarnation, of any agent, has it.
  var incarnation: Revision
  /// Journal time of that, in milliseconds.
  var registeredAt: Int64
  /// Nil: nobody has declared it failed, or it has recovered.
  var failure: AgentFailure?
  /// False: it has left. Its name stays, so that whoever lists what changed learns of it.
  var isRegistered = true
}

/// When an agent was declared failed.
public struct AgentFailure: Sendable, Hashable {
  /// The entry that says so.
  public let revision: Revision
  /// Journal time of that, in milliseconds since 1970.
  public let time: Int64
  /// When it was last heard of; nil: never by the hub that declared it.
  public let lastSign: Int64?
}

/// What an entry did to an agent.
public struct AgentEvent: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case registered, unregistered, failed, recovered
  }

  public let kind: Kind
  public let agent: AgentID
  public let incarnation: Revision
}

/// The agents of a swarm (rules §7.1, §7.4): who is registered, and who was declared failed.
struct AgentTable: Sendable {
  /// Raising it costs about 300 bytes of memory for each agent more.
  static let limit = 100_000

  var rows = Table<AgentID, AgentRecord>()
  /// Those that have not left.
  private(set) var count = 0
  private(set) var failed = 0

  /// The record of an agent that is registered.
  subscript(agent: AgentID) -> AgentRecord? {
    guard let slot = rows.slot(of: agent), rows[slot].record.isRegistered else { return nil }
    return rows[slot].record
  }

  mutating func apply(
    _ command: AgentCommand, at revision: Revision, _ time: Int64
  ) throws(AgentRefusal) -> (AgentOutcome, AgentEvent?) {
    switch command {
    case .register(let agent, let change):
      let slot = rows.slot(of: agent)
      let old = slot.flatMap { rows[$0].record.isRegistered ? rows[$0].record : nil }
      guard old != nil || count < AgentTable.limit else { throw .tooMany(limit: AgentTable.limit) }
      var new = AgentRecord(incarnation: revision, registeredAt: time)
      new.profile = (old?.profile ?? AgentProfile()).changed(by: change)
      put(new, of: agent, in: slot, at: revision)
      return (
        .registered(incarnation: revision, isNew: old == nil),
        AgentEvent(kind: .registered, agent: agent, incarnation: revision)
      )
    case .unregister(let agent):
      guard let slot = rows.slot(of: agent), rows[slot].record.isRegistered else { throw .unknown(agent) }
      var record = AgentRecord(incarnation: rows[slot].record.incarnation, registeredAt: time)
      record.isRegistered = false
      put(record, of: agent, in: slot, at: revision)
      return (.unregistered, AgentEvent(kind: .unregistered, agent: agent, incarnation: record.incarnation))
    case .fail(let agent, let incarnation, let lastSign):
      guard let slot = rows.slot(of: agent), var record = self[agent], record.incarnation == incarnation,
        record.failure == nil
      else { return (.unchanged, nil) }
      record.failure = AgentFailure(revision: revision, time: time, lastSign: lastSign)
      put(record, of: agent, in: slot, at: revision)
      return (.failed, AgentEvent(kind: .failed, agent: agent, incarnation: incarnation))
    case .recover(let agent, let incarnation):
      guard let slot = rows.slot(of: agent), var record = self[agent], record.incarnation == incarnation,
        record.failure != nil
      else { return (.unchanged, nil) }
      record.failure = nil
      put(record, of: agent, in: slot, at: revision)
      return (.recovered, AgentEvent(kind: .recovered, agent: agent, incarnation: incarnation))
    }
  }

  private mutating func put(_ record: AgentRecord, of agent: AgentID, in slot: Int?, at revision: Revision) {
    if let slot {
      tally(rows[slot].record, -1)
      rows[slot].record = record
    }
    tally(record, 1)
    let slot = slot ?? rows.insert(record, id: agent)
    rows.markDirty(slot)
    rows.touch(slot, at: revision)
  }

  private mutating func tally(_ record: AgentRecord, _ sign: Int) {
    if record.isRegistered { count += sign }
    if record.failure != nil { failed += sign }
  }

  /// Takes a record from a checkpoint into an empty table.
  mutating func load(_ record: AgentRecord, of agent: AgentID, revision: Revision) -> Bool {
    guard rows.slot(of: agent) == nil else { return false }
    _ = rows.insert(record, id: agent, revision: revision)
    tally(record, 1)
    return true
  }
}
