public import MoaiCRDT

/// What a swarm knows of one of its agents.
public struct AgentStatus: Sendable, Hashable {
  public let agent: AgentID
  /// The revision at which this incarnation began.
  public let incarnation: Revision
  /// The revision of the last entry that said something about it.
  public let revision: Revision
  public let profile: AgentProfile
  /// Journal time of its registration, in milliseconds since 1970.
  public let registeredAt: Int64
  public let failure: AgentFailure?
  /// How it is, as the hub sees it that answers.
  public let standing: AgentStanding
  /// Milliseconds since 1970 of its last sign; nil: the hub that answers has heard none.
  public let lastSeen: Int64?
}

/// Agents in the order of their names.
public struct AgentPage: Sendable, Hashable {
  public let agents: [AgentStatus]
  /// The name to go on after; nil at the end.
  public let next: AgentID?
  public let revision: Revision
}

extension AgentTable {
  /// Agents that are registered, in the order of their names, from behind `after` on. O(n log n) in those that are registered.
  func page(after: AgentID?, limit: Int) -> (slots: [Int], next: AgentID?) {
    let slots = rows.rows.indices.filter { slot in
      rows[slot].record.isRegistered && after.map { $0 < rows.id(of: slot) } ?? true
    }.sorted { rows.id(of: $0) < rows.id(of: $1) }
    let page = Array(slots.prefix(limit))
    return (page, slots.count > limit ? page.last.map { rows.id(of: $0) } : nil)
  }
}
