import MoaiCRDT

/// Namespaced key-value memory as anybody may read it. Storing takes a name: ``SwarmMember/memory``.
public struct MemoryReader: MemoryAccess {
  public let connection: any SwarmConnection
  public let volatile: VolatileMemory

  package init(connection: any SwarmConnection, volatile: VolatileMemory) {
    self.connection = connection
    self.volatile = volatile
  }
}

/// What readers and writers of the memory have in common.
///
/// The memory is a view over state: a persistent entry is the register under `memory/NAMESPACE/KEY`, with all that state
/// has (history, delta sync, `explain`). Volatile entries stand beside it, in this process only. A volatile entry hides
/// the persistent one of the same name from this process until it is deleted.
public protocol MemoryAccess: Sendable {
  var connection: any SwarmConnection { get }
  var volatile: VolatileMemory { get }
}

extension MemoryAccess {
  /// The entry under a name, or nil.
  public func retrieve(_ key: String, from namespace: String) async throws(SwarmError) -> MemoryEntry? {
    let name = try MemoryName(namespace: namespace, key: key)
    if let entry = volatile.retrieve(name) { return entry }
    return try await connection.reading(of: name.stateKey).map { MemoryEntry(name: name, $0) }
  }

  /// A page of the entries whose keys match the pattern (`*` is any run of bytes, `/` included), in the order of the
  /// keys' bytes.
  ///
  /// Reads what begins with the pattern's text before its first `*`. `limit` from 1, at most 1,000.
  public func list(
    _ namespace: String, matching pattern: String = "*", after: String? = nil, limit: Int = 100
  ) async throws(SwarmError) -> MemoryPage {
    try MemoryName.check(namespace)
    guard limit > 0 else { throw .invalid(field: "/limit", "\(limit) is no limit") }
    let limit = min(limit, Swarm.pageLimit)
    let glob = GlobPattern(pattern)
    let scan = MemoryScan(
      prefix: MemoryName.prefix(of: namespace) + pattern.prefix { $0 != "*" },
      after: try after.map { key throws(SwarmError) in try MemoryName(namespace: namespace, key: key).stateKey })
    let hidden = volatile.entries(of: UTF8String(namespace)).filter { entry in
      glob.matches(entry.name.key) && scan.after.map { $0 < entry.name.stateKey } ?? true
    }
    // One more than asked for tells whether there are more.
    let (stored, revision) = try await scan.entries(limit: limit + 1, in: connection) { glob.matches($0.name.key) }
    let names = Set(hidden.map(\.name))
    let merged = (stored.filter { !names.contains($0.name) } + hidden).sorted { $0.name < $1.name }
    let page = Array(merged.prefix(limit))
    let isCut = merged.count > limit || stored.count > limit
    return MemoryPage(entries: page, next: isCut ? page.last?.name.key : nil, revision: revision)
  }

  /// How much each namespace holds. Reads every value of the memory: O(bytes).
  public func statistics() async throws(SwarmError) -> MemoryStatistics {
    var namespaces: [UTF8String: MemoryStatistics.Namespace] = [:]
    let scan = MemoryScan(prefix: MemoryName.root, after: nil)
    let revision = try await scan.forEach(in: connection) { entry in
      namespaces[entry.name.namespace, default: .init(name: entry.name.namespace)].persistentEntries += 1
      namespaces[entry.name.namespace]?.persistentBytes += entry.value.encodedSize
      return true
    }
    for entry in volatile.entries() {
      namespaces[entry.name.namespace, default: .init(name: entry.name.namespace)].volatileEntries += 1
      namespaces[entry.name.namespace]?.volatileBytes += entry.value.encodedSize
    }
    return MemoryStatistics(namespaces: namespaces.values.sorted { $0.name < $1.name }, revision: revision)
  }
}

/// A walk over persistent entries, page by page, in the order of their keys.
struct MemoryScan {
  let prefix: String
  let after: StateKey?

  /// The first entries that `isWanted` picks, and the revision at which the reading began.
  func entries(
    limit: Int, in connection: any SwarmConnection, where isWanted: (MemoryEntry) -> Bool
  ) async throws(SwarmError) -> (entries: [MemoryEntry], revision: Revision) {
    var found: [MemoryEntry] = []
    let revision = try await forEach(in: connection) { entry in
      if isWanted(entry) { found.append(entry) }
      return found.count < limit
    }
    return (found, revision)
  }

  /// Calls `body` with each entry until it returns false; returns the revision at which the reading began.
  @discardableResult
  func forEach(
    in connection: any SwarmConnection, _ body: (MemoryEntry) -> Bool
  ) async throws(SwarmError) -> Revision {
    var position = after
    var revision: Revision?
    while true {
      let query = Query.keys(
        KeyFilter(prefix: prefix), after: position, limit: Swarm.pageLimit, includingValues: true)
      guard case .keys(let page) = try await connection.answer(query) else { connection.mismatch() }
      let began = revision ?? page.cursor.revision
      revision = began
      for key in page.keys {
        guard let entry = MemoryEntry(key) else { continue }
        if !body(entry) { return began }
      }
      guard let next = page.next else { return began }
      position = next
    }
  }
}

extension MemoryEntry {
  init(name: MemoryName, _ reading: StateReading) {
    self.init(
      name: name, value: reading.value, agent: reading.agent,
      record: Record(revision: reading.revision, timestamp: reading.timestamp))
  }

  /// Nil for a key below `memory/` that names no entry.
  fileprivate init?(_ key: KeyPage.Key) {
    guard let name = MemoryName(key.key), let value = key.value else { return nil }
    self.init(
      name: name, value: value, agent: key.agent, record: Record(revision: key.revision, timestamp: key.timestamp))
  }
}
