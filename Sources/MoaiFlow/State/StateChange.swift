public import MoaiCRDT

/// What became of one key: in an entry, or since a revision.
public struct StateChange: Sendable, Hashable {
  public enum Content: Sendable, Hashable {
    case deleted
    /// The key's whole value; it replaces whatever a receiver has.
    case value(StateValue)
    /// Operations that turn the value that the receiver has into the value now.
    case operations([StateOperation])
  }

  public let key: StateKey
  /// The revision of the last entry that changed the key.
  public let revision: Revision
  /// The author and the time of that entry.
  public let agent: AgentID
  public let timestamp: Timestamp
  public let type: CRDTType
  public let content: Content
  /// The concurrent writes that are not shown, whole; only under the strategy `vector`.
  public let siblings: StateValue?
  /// Who wrote what is shown, if that was asked for: in the order of the operations, or of the value's parts (fields,
  /// elements, the whole); nil for what was removed, and for counters.
  public internal(set) var origins: [WriteOrigin?]? = nil
}

/// Who wrote a part of a value, when, with which entry.
public struct WriteOrigin: Sendable, Hashable {
  public let agent: AgentID
  public let timestamp: Timestamp
  public let revision: Revision
}

extension StateTable {
  func change(of slot: Int, _ content: StateChange.Content, agents: Agents) -> StateChange {
    let header = keys[slot].record.header
    return StateChange(
      key: keys.id(of: slot), revision: keys[slot].revision, agent: agents[header.agent], timestamp: header.timestamp,
      type: header.type, content: content,
      siblings: header.strategy == .vector ? keys[slot].record.siblings(agents) : nil)
  }

  /// A change with who wrote each of the parts that it shows.
  func adding(origins change: StateChange, of slot: Int, agents: Agents) -> StateChange {
    let record = keys[slot].record
    let parts: [Part?]
    switch change.content {
    case .deleted: return change
    case .operations(let operations): parts = operations.map(\.part)
    case .value:
      switch record.contents {
      case .register: parts = [.whole]
      case .parts(let writes): parts = writes.keys.sorted { $0.precedes($1) }
      case .counter, .deleted: parts = []
      }
    }
    var change = change
    change.origins = parts.map { part in
      part.flatMap { record.writes(of: $0).shown(agents) }.map {
        WriteOrigin(agent: agents[$0.agent], timestamp: $0.timestamp, revision: $0.entered)
      }
    }
    return change
  }

  /// What turns the key's value at `since` into its value now (rule §5.3): operations as far back as the key remembers
  /// its changes, beyond that the whole value.
  func change(of slot: Int, since: Revision, asValue: Bool, agents: Agents) -> StateChange {
    let record = keys[slot].record
    if record.isDeleted { return change(of: slot, .deleted, agents: agents) }
    if !asValue, record.header.type == .register, since >= record.header.createdAt {
      return change(of: slot, .operations([.assign(record.view(agents))]), agents: agents)
    }
    guard !asValue, let before = record.recent.shown(at: since), record.header.type != .register else {
      return change(of: slot, .value(record.view(agents)), agents: agents)
    }
    var operations: [StateOperation] = []
    for (part, before) in before.sorted(by: { $0.key.precedes($1.key) }) {
      if part != .whole, record.writes(of: part).shown(agents)?.value == before { continue }
      record.appendOperations(showing: part, after: before, agents, to: &operations)
    }
    return change(of: slot, .operations(operations), agents: agents)
  }
}

extension Part {
  /// The canonical order of a value's parts.
  func precedes(_ other: Part) -> Bool {
    switch (self, other) {
    case (.field(let left), .field(let right)): left < right
    case (.element(let left), .element(let right)): left < right
    case (.whole, _): other != .whole
    case (.field, .element): true
    case (.field, .whole), (.element, _): false
    }
  }
}
