import MoaiCRDT

/// Namespaced key-value memory as a member reads and writes it.
///
/// The last store of a name wins, in the order of the journal. Who must not lose what another stored meanwhile uses
/// the state key itself, with a base or a condition.
public struct MemoryProvider: MemoryAccess {
  public let connection: any SwarmConnection
  public let volatile: VolatileMemory
  public let agent: AgentID
  /// The host that acts for the agent.
  public let via: AgentID?

  package init(connection: any SwarmConnection, volatile: VolatileMemory, agent: AgentID, via: AgentID? = nil) {
    self.connection = connection
    self.volatile = volatile
    self.agent = agent
    self.via = via
  }

  /// Stores a value under a name, in place of what stands there.
  ///
  /// `isPersistent` false: in this process only, until it ends. A persistent store also ends a volatile entry of the
  /// name; a volatile store hides a persistent one from this process.
  ///
  /// Returns the entry as it stands afterwards, or, under an id that was used before, as it stood then; nil if somebody
  /// deleted it since.
  /// - Throws: `.memoryFull` where a volatile entry does not fit; `.refused` as for any write of state.
  @discardableResult
  public func store(
    _ value: StateValue, as key: String, in namespace: String, isPersistent: Bool = true, id: CommandID? = nil
  ) async throws(SwarmError) -> MemoryEntry? {
    try await storing(value, as: key, in: namespace, isPersistent: isPersistent, id: id).entry
  }

  /// As ``store(_:as:in:isPersistent:id:)``, and whether the entry came into being.
  package func storing(
    _ value: StateValue, as key: String, in namespace: String, isPersistent: Bool, id: CommandID?
  ) async throws(SwarmError) -> (entry: MemoryEntry?, isNew: Bool) {
    let name = try MemoryName(namespace: namespace, key: key)
    guard isPersistent else {
      do { try ValueLimits().check(value) } catch { throw .invalid(field: "/value", "\(error)") }
      let isNew = try volatile.store(value, as: name, by: agent)
      return (MemoryEntry(name: name, value: value, agent: agent, record: nil), isNew)
    }
    let (outcome, results) = try await perform(
      [WriteRequest(name.stateKey, .operations([.assign(value)]), type: .register)], id: id)
    volatile.delete(name)
    let reading = try await reading(of: name.stateKey, after: outcome)
    return (reading.map { MemoryEntry(name: name, $0) }, results[0].isCreation)
  }

  /// The key now; after a repeated command as the first one left it, if that can still be read.
  private func reading(of key: StateKey, after outcome: Outcome) async throws(SwarmError) -> StateReading? {
    guard outcome.isRepeat else { return try await connection.reading(of: key) }
    do {
      return try await connection.reading(of: key, at: .revision(outcome.revision))
    } catch .trimmed {
      return try await connection.reading(of: key)
    }
  }

  /// Deletes the entry of a name, volatile and persistent; returns whether there was one.
  @discardableResult
  public func delete(_ key: String, from namespace: String, id: CommandID? = nil) async throws(SwarmError) -> Bool {
    let name = try MemoryName(namespace: namespace, key: key)
    let wasVolatile = volatile.delete(name)
    // Under an id it may be the repeat of a delete that was done.
    if id == nil, try await connection.reading(of: name.stateKey) == nil { return wasVolatile }
    let results = try await perform([WriteRequest(name.stateKey, .delete)], id: id).results
    return results[0].changed || wasVolatile
  }

  /// Deletes every entry of a namespace; returns how many there were.
  ///
  /// Up to 1,000 persistent entries go in one entry of the journal, all or nothing; more take several. What others store
  /// meanwhile may stay.
  @discardableResult
  public func clear(_ namespace: String) async throws(SwarmError) -> Int {
    try MemoryName.check(namespace)
    var deleted: Set<MemoryName> = []
    for entry in volatile.entries(of: UTF8String(namespace)) where volatile.delete(entry.name) {
      deleted.insert(entry.name)
    }
    var position: StateKey?
    while true {
      let scan = MemoryScan(prefix: MemoryName.prefix(of: namespace), after: position)
      let page = try await scan.entries(limit: StatePlanner.keyLimit, in: connection) { _ in true }.entries
      guard let last = page.last else { return deleted.count }
      let results = try await perform(page.map { WriteRequest($0.name.stateKey, .delete) }, id: nil).results
      for (entry, result) in zip(page, results) where result.changed { deleted.insert(entry.name) }
      position = last.name.stateKey
    }
  }

  private func perform(
    _ writes: [WriteRequest], id: CommandID?
  ) async throws(SwarmError) -> (outcome: Outcome, results: [KeyResult]) {
    let outcome = try await connection.perform(Request(author: agent, via: via, id: id, body: .write(writes)))
    switch outcome.result {
    case .state(let state): return (outcome, state.keys)
    case .refused(let refusal): throw .refused(refusal)
    default: connection.mismatch()
    }
  }
}
