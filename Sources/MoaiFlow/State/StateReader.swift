/// Shared state as anybody may read it. Writing takes a name: ``SwarmMember/state``.
public struct StateReader: StateAccess {
  public let connection: any SwarmConnection
  public let coordinator: any Coordinator

  package init(connection: any SwarmConnection, coordinator: any Coordinator) {
    self.connection = connection
    self.coordinator = coordinator
  }
}

/// What readers and writers of shared state have in common.
public protocol StateAccess: Sendable {
  var connection: any SwarmConnection { get }
  var coordinator: any Coordinator { get }
}

extension StateAccess {
  /// The key's value with its author, time and revision; nil if the key is absent. Sees every write that was answered
  /// before the call.
  ///
  /// `revision`: the value as it was then, from the journal: O(history).
  public func read(_ key: String, at revision: RevisionReference? = nil) async throws(SwarmError) -> StateReading? {
    try await connection.reading(of: try StateKey(checking: key), at: revision)
  }

  /// A page of the keys that begin with `prefix`, in the order of their bytes.
  public func keys(
    prefix: String = "", after: String? = nil, limit: Int = 100, includingValues: Bool = false
  ) async throws(SwarmError) -> KeyPage {
    var afterKey: StateKey?
    if let after { afterKey = try StateKey(checking: after) }
    let query = Query.keys(
      KeyFilter(prefix: prefix), after: afterKey, limit: limit, includingValues: includingValues)
    guard case .keys(let page) = try await connection.answer(query) else { connection.mismatch() }
    return page
  }

  /// One page of what changed after `since`: each key once, deletions included, in the order of its last revision
  /// (rule §5.3). The cost depends on what changed, not on what exists.
  public func changes(_ query: ChangesQuery) async throws(SwarmError) -> ChangesPage {
    guard case .changes(let page) = try await connection.answer(.changes(query)) else { connection.mismatch() }
    return page
  }

  /// One page of what changed after a cursor.
  public func changes(since cursor: Cursor) async throws(SwarmError) -> ChangesPage {
    try await changes(ChangesQuery(since: .after(.cursor(cursor))))
  }

  /// What changed after `since` and whatever changes from now on, without an end (rule §5.4). Without a place it begins with
  /// all that is there; `.head` is for what comes only.
  public func follow(since: ChangesStart = .beginning, prefix: String = "") -> ChangeFeed {
    connection.follow(since: since, matching: KeyFilter(prefix: prefix))
  }

  /// Full sync (rule §5.1): asks every agent with an open session for what it has of the key, merges the answers as
  /// those agents' writes, and tells everybody the result. Returns when the last answer is in.
  ///
  /// * `quorum`: answers that are needed; nil: more than half of those asked.
  /// * `id`: matches answers to this sync; the same id twice writes no answer twice.
  /// - Throws: `.quorumNotReached` with the report; then nothing was written.
  public func synchronize(
    _ key: String, timeout: Duration = .seconds(5), quorum: Int? = nil, id: CommandID,
    clock: any Clock<Duration> = .continuous
  ) async throws(SwarmError) -> SyncReport {
    try await connection.synchronize(
      try StateKey(checking: key), timeout: timeout, quorum: quorum, id: id, through: coordinator, clock: clock)
  }
}

extension StateKey {
  /// A key as a caller gives it.
  init(checking name: String) throws(SwarmError) {
    do {
      try self.init(name)
    } catch {
      throw .invalid(field: "/state_key", error.problem)
    }
  }
}
