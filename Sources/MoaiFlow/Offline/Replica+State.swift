import MoaiCRDT

/// A key as an offline replica shows it.
public struct ReplicaReading: Sendable, Hashable {
  public let key: StateKey
  public let value: StateValue
  public let type: CRDTType
  /// Whether something of it is not in the journal yet, as far as the replica knows.
  public let isPending: Bool
}

extension Replica {
  /// The key's value as this replica shows it; nil: it is absent. Costs the size of the value.
  public func read(_ key: String) throws(ReplicaError) -> ReplicaReading? {
    let name = try Replica.key(key)
    let view = state.view(of: name)
    return view.reading().map { ReplicaReading(key: name, value: $0.value, type: $0.type, isPending: view.isPending) }
  }

  /// The keys that begin with `prefix`, in the order of their bytes. O(keys).
  public func keys(prefix: String = "") -> [StateKey] { state.keys(prefix: prefix) }

  /// Adds to a counter. Towards a bound it needs a right that was reserved before: ``reserve(_:of:from:)``.
  public func increment(_ key: String, by amount: Int64 = 1) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .operations([.increment(amount)]))])
  }

  /// Adds an element to a set.
  public func add(_ element: StateValue, to key: String) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .operations([.add(element)]))])
  }

  /// Removes an element from a set; an add that this replica had not seen survives.
  public func remove(_ element: StateValue, from key: String) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .operations([.remove(element)]))])
  }

  /// Puts one field of a map.
  public func put(_ value: StateValue, field: String, in key: String) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .operations([.put(field: UTF8String(field), value)]))])
  }

  /// Removes one field of a map.
  public func removeField(_ field: String, from key: String) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .operations([.removeField(UTF8String(field))]))])
  }

  /// Writes a whole value over what is shown (rule §4.4); with `replacing` it also removes what it leaves out.
  public func set(
    _ key: String, to value: StateValue, replacing: Bool = false, type: CRDTType? = nil, strategy: KeyStrategy? = nil
  ) async throws(ReplicaError) {
    try await perform([
      WriteRequest(try Replica.key(key), .value(value, replacing: replacing), type: type, strategy: strategy)
    ])
  }

  /// Removes what is shown of the key; what this replica had not seen survives (rule §4.8).
  public func delete(_ key: String) async throws(ReplicaError) {
    try await perform([WriteRequest(try Replica.key(key), .delete)])
  }

  /// Several writes on different keys, which enter the journal together or not at all. Returns when they are stored here.
  ///
  /// - Throws: before anything is written.
  public func perform(_ requests: [WriteRequest]) async throws(ReplicaError) {
    let writes = try ReplicaPlanner(state: state).plan(requests)
    guard !writes.isEmpty else { return }
    state.append(writes, now: sources.now())
    try await flush()
  }

  private static func key(_ name: String) throws(ReplicaError) -> StateKey {
    do { return try StateKey(name) } catch { throw .invalid(field: "/state_key", error.problem) }
  }
}
