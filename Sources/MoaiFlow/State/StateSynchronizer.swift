import MoaiCRDT

/// Shared state as a member reads and writes it.
///
/// Every write names what it had seen: by default everything, else the `base` that its reader was given. Writes that
/// had not seen each other are merged by the key's type, and each returns whom it overwrote.
public struct StateSynchronizer: StateAccess {
  public let connection: any SwarmConnection
  public let coordinator: any Coordinator
  public let agent: AgentID
  /// The host that acts for the agent.
  public let via: AgentID?

  package init(
    connection: any SwarmConnection, coordinator: any Coordinator, agent: AgentID, via: AgentID? = nil
  ) {
    self.connection = connection
    self.coordinator = coordinator
    self.agent = agent
    self.via = via
  }

  /// Adds to this agent's increments of a counter.
  @discardableResult
  public func increment(_ key: String, by amount: Int64 = 1, id: CommandID? = nil) async throws(SwarmError) -> KeyResult
  {
    try await write(key, .operations([.increment(amount)]), id: id)
  }

  /// Adds an element to a set.
  @discardableResult
  public func add(_ element: StateValue, to key: String, id: CommandID? = nil) async throws(SwarmError) -> KeyResult {
    try await write(key, .operations([.add(element)]), id: id)
  }

  /// Removes an element from a set; an add that this writer had not seen at `base` survives.
  @discardableResult
  public func remove(
    _ element: StateValue, from key: String, base: Cursor? = nil, id: CommandID? = nil
  ) async throws(SwarmError) -> KeyResult {
    try await write(key, .operations([.remove(element)]), base: base, id: id)
  }

  /// Puts one field of a map; the others are not touched.
  @discardableResult
  public func put(
    _ value: StateValue, field: String, in key: String, base: Cursor? = nil, id: CommandID? = nil
  ) async throws(SwarmError) -> KeyResult {
    try await write(key, .operations([.put(field: UTF8String(field), value)]), base: base, id: id)
  }

  /// Removes one field of a map.
  @discardableResult
  public func removeField(
    _ field: String, from key: String, base: Cursor? = nil, id: CommandID? = nil
  ) async throws(SwarmError) -> KeyResult {
    try await write(key, .operations([.removeField(UTF8String(field))]), base: base, id: id)
  }

  /// Writes a whole value (rule §4.4). Over a set or map it adds and puts; with `base` it also removes what the writer
  /// saw then and left out now, and touches nothing that the writer did not change.
  @discardableResult
  public func set(
    _ key: String, to value: StateValue, base: Cursor? = nil, ifRevision: Revision? = nil, type: CRDTType? = nil,
    strategy: KeyStrategy? = nil, id: CommandID? = nil
  ) async throws(SwarmError) -> KeyResult {
    let write = WriteRequest(
      try StateKey(checking: key), .value(value), base: base.map { .cursor($0) },
      ifRevision: ifRevision.map { .revision($0) }, type: type, strategy: strategy)
    return try await perform([write], id: id)[0]
  }

  /// Removes the key with everything in it; with `base` only what the writer had seen then (rule §4.8): if somebody
  /// wrote since, the key stays with that.
  @discardableResult
  public func delete(
    _ key: String, base: Cursor? = nil, ifRevision: Revision? = nil, id: CommandID? = nil
  ) async throws(SwarmError) -> KeyResult {
    let write = WriteRequest(
      try StateKey(checking: key), .delete, base: base.map { .cursor($0) },
      ifRevision: ifRevision.map { .revision($0) })
    return try await perform([write], id: id)[0]
  }

  /// Several writes in one entry: all or nothing (rule §4.5). One result per write, in order.
  ///
  /// - Throws: `.refused` if one of them is refused; then none was made.
  @discardableResult
  public func perform(_ writes: [WriteRequest], id: CommandID? = nil) async throws(SwarmError) -> [KeyResult] {
    let outcome = try await connection.perform(Request(author: agent, via: via, id: id, body: .write(writes)))
    switch outcome.result {
    case .state(let state): return state.keys
    case .refused(let refusal): throw .refused(refusal)
    default: connection.mismatch()
    }
  }

  private func write(
    _ key: String, _ content: WriteRequest.Content, base: Cursor? = nil, id: CommandID?
  ) async throws(SwarmError) -> KeyResult {
    let write = WriteRequest(try StateKey(checking: key), content, base: base.map { .cursor($0) })
    return try await perform([write], id: id)[0]
  }
}
