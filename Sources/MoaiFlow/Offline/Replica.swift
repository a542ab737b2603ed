public import MoaiCRDT

/// An offline replica: an agent's own copy of a swarm that reads and writes at once, connected or not, and exchanges what
/// each side lacks with the swarm and with other replicas (rule §5.6).
///
/// A write is answered when it is stored here; the journal decides about it at the next ``exchange(with:)``. Until then a
/// read shows what the journal would, as far as this replica knows it. A write that a rule refuses there is listed in
/// ``refused``, never lost.
///
///     let replica = try await Replica.open(as: "alice", in: SQLiteReplicaStore(folder: "alice"))
///     try await replica.increment("requests", by: 3)     // on a plane
///     let report = try await replica.exchange(with: swarm)
public actor Replica {
  /// Where a replica takes its time and its randomness from.
  public struct Sources: Sendable {
    /// Milliseconds since 1970.
    public var now: @Sendable () -> Int64
    /// Random, and never the same twice.
    public var newID: @Sendable () -> ReplicaID

    public init(now: @escaping @Sendable () -> Int64, newID: @escaping @Sendable () -> ReplicaID) {
      self.now = now
      self.newID = newID
    }
  }

  public nonisolated let agent: AgentID
  public nonisolated let swarm: SwarmName
  let store: any ReplicaStore
  let sources: Sources
  var state: ReplicaState
  /// Who waits for the next commit.
  private var waiting: [CheckedContinuation<ReplicaError?, Never>] = []
  private var isCommitting = false
  private var isClosed = false
  /// The last write that the store has, and the id that it was made under.
  private var lastStored: (id: ReplicaID, number: UInt64)
  /// An exchange is under way; others wait.
  private var isExchanging = false
  private var exchangers: [CheckedContinuation<Void, Never>] = []

  private init(store: any ReplicaStore, sources: Sources, state: ReplicaState) {
    self.store = store
    self.sources = sources
    self.state = state
    agent = state.agent
    swarm = state.swarm
    lastStored = (state.id, state.next - 1)
  }

  /// The number of the last write that the store has; 0 for an id that is not stored yet.
  var storedUpTo: UInt64 { lastStored.id == state.id ? lastStored.number : 0 }

  /// Opens the replica that a store holds, or begins one in an empty store.
  ///
  /// - Throws: `.invalid` if the names are not allowed, or the store holds the replica of another agent or swarm.
  public static func open(
    as agent: String, of swarm: String = "default", in store: any ReplicaStore, sources: Sources
  ) async throws(ReplicaError) -> Replica {
    let agentID: AgentID
    let name: SwarmName
    do { agentID = try AgentID(agent) } catch { throw .invalid(field: "/agent_id", error.problem) }
    do { name = try SwarmName(swarm) } catch { throw .invalid(field: "/swarm", error.problem) }
    if let state = try await load(store) {
      guard state.agent == agentID, state.swarm == name else {
        throw .invalid(field: "/agent_id", "the store holds the replica of \(state.agent) in \(state.swarm)")
      }
      return Replica(store: store, sources: sources, state: state)
    }
    let replica = Replica(
      store: store, sources: sources, state: ReplicaState(agent: agentID, swarm: name, id: sources.newID()))
    try await replica.flush()
    return replica
  }

  private static func load(_ store: any ReplicaStore) async throws(ReplicaError) -> ReplicaState? {
    let records: [StoredRecord]
    do { records = try await store.load() } catch { throw .store(error) }
    do { return try ReplicaState(records) } catch { throw .damaged(error) }
  }

  public var id: ReplicaID { state.id }

  /// What the replica has of the swarm; nil: nothing yet.
  public var cursor: Cursor? { state.mirror.cursor }

  /// Deltas that the journal is not known to have.
  public var unsentCount: Int { state.unsent.count }

  /// Writes that a rule refused, until somebody resolves them.
  public var refused: [KeptDelta] { state.kept }

  /// Writes of which nobody knows whether the journal has them: see ``Renumbering/Reason/forked``.
  public var doubtful: [ReplicaDelta] { state.doubtful }

  /// What may still be spent of bounded counters while offline.
  public var rights: [StateKey: CounterRight] { state.rights }

  /// Stores what is not stored yet and closes the store.
  public func close() async throws(ReplicaError) {
    if !isClosed { try await flush() }
    isClosed = true
    do { try await store.close() } catch { throw .store(error) }
  }

  // MARK: Storing

  /// Returns when everything that the replica holds now is stored. Concurrent callers share one commit.
  func flush() async throws(ReplicaError) {
    if isClosed { throw .closed }
    let error = await withCheckedContinuation { continuation in
      waiting.append(continuation)
      if !isCommitting {
        isCommitting = true
        Task { await self.commitAll() }
      }
    }
    if let error { throw error }
  }

  private func commitAll() async {
    while !waiting.isEmpty {
      let waiters = waiting
      waiting = []
      var failure: ReplicaError?
      let (id, last) = (state.id, state.next - 1)
      let hash = last > storedUpTo ? state.lastHash : nil
      do {
        try await store.commit(state.takeChanges())
        lastStored = (id, last)
      } catch {
        failure = .store(error)
        await reload(after: &failure, storing: hash)
      }
      for waiter in waiters { waiter.resume(returning: failure) }
    }
    isCommitting = false
  }

  /// After a commit that failed the store knows what is true: what was not stored is taken back.
  ///
  /// `hash`: of the last delta in the commit, by which one of unknown outcome is found again; nil: it held no delta.
  private func reload(after failure: inout ReplicaError?, storing hash: UInt64?) async {
    do throws(ReplicaError) {
      guard let stored = try await Replica.load(store) else { return }
      // Who wrote meanwhile is told the same: that is not in the store.
      for waiter in waiting { waiter.resume(returning: failure) }
      waiting = []
      if let hash, stored.lastHash == hash, case .store(.uncertain)? = failure { failure = nil }
      state = stored
      lastStored = (stored.id, stored.next - 1)
    } catch {
      isClosed = true
      for waiter in waiting { waiter.resume(returning: error) }
      waiting = []
    }
  }

  // MARK: Turns

  /// Lets one exchange after the other have the replica; reads and writes go on meanwhile.
  func beginExchange() async throws(ReplicaError) {
    while isExchanging { await withCheckedContinuation { exchangers.append($0) } }
    if isClosed { throw .closed }
    isExchanging = true
  }

  func endExchange() {
    isExchanging = false
    for exchanger in exchangers { exchanger.resume() }
    exchangers = []
  }
}
