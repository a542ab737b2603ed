package import MoaiCRDT

/// An offline replica without an actor and without a store, for benchmarks on one thread and for bytes that nobody vouches
/// for.
package struct ReplicaRehearsal {
  private var state: ReplicaState

  package init(agent: String, id: ReplicaID) {
    guard let name = try? AgentID(agent) else { preconditionFailure("\(agent) is no name") }
    state = ReplicaState(agent: name, swarm: .default, id: id)
  }

  /// The replica that these records hold; nil: none.
  ///
  /// - Throws: if they cannot be read.
  package init?(_ records: [StoredRecord]) throws(DecodingFailure) {
    guard let state = try ReplicaState(records) else { return nil }
    self.state = state
  }

  /// Puts a field of a map, or removes it for nil.
  package mutating func write(
    _ value: String?, field: String, in key: String, now: Int64
  ) throws {
    let name = UTF8String(field)
    let operation: StateOperation = value.map { .put(field: name, .string(UTF8String($0))) } ?? .removeField(name)
    try perform(WriteRequest(try StateKey(key), .operations([operation])), now: now)
  }

  package mutating func perform(_ request: WriteRequest, now: Int64) throws(ReplicaError) {
    let writes = try ReplicaPlanner(state: state).plan([request])
    if !writes.isEmpty { state.append(writes, now: now) }
  }

  package func value(_ key: String) -> StateValue? {
    (try? StateKey(key)).flatMap { state.view(of: $0).reading()?.value }
  }

  /// Everything that it shows.
  package var values: [StateKey: StateValue] {
    var values: [StateKey: StateValue] = [:]
    for key in state.keys(prefix: "") { values[key] = state.view(of: key).reading()?.value }
    return values
  }

  package func summary() -> [UInt8] { state.summary.encoded() }

  package func answer(_ summary: [UInt8]) throws -> [UInt8] {
    try state.update(for: try PeerSummary(decoding: summary)).encoded()
  }

  package mutating func take(_ update: [UInt8], now: Int64) throws {
    try state.take(try PeerUpdate(decoding: update), now: now)
  }

  /// Takes a pass over what changed in a swarm.
  package mutating func take(_ pages: [ChangesPage], now: Int64) throws(SwarmError) {
    try state.take(pages, now: now)
  }

  /// What a store would be given now.
  package mutating func takeRecords() -> [StoredRecord] { state.takeChanges() }
}
