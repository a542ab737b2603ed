/// A place that holds the journals of many swarms: a folder with one SQLite file, a JetStream account, memory.
///
/// Opening the same swarm twice returns journals over the same log.
public protocol JournalStore: Sendable {
  /// The swarms in the store, in the order of their names' bytes.
  func swarms() async throws(JournalError) -> [SwarmName]

  /// Creates an empty journal with a new epoch.
  ///
  /// - Throws: `.alreadyExists`.
  func create(_ swarm: SwarmName) async throws(JournalError) -> any Journal

  /// The journal of a swarm.
  ///
  /// - Throws: `.noSuchSwarm`.
  func open(_ swarm: SwarmName) async throws(JournalError) -> any Journal

  /// Removes a swarm with all its entries. Its epoch never returns: cursors into it stay invalid for ever.
  ///
  /// - Throws: `.noSuchSwarm`.
  func delete(_ swarm: SwarmName) async throws(JournalError)

  /// Creates a swarm from a floor checkpoint, or nothing, and the entries that follow on it, under a new epoch.
  ///
  /// The checkpoint's revision becomes the horizon; entries keep the revisions and times that they carry, and must ascend
  /// from there without gaps. All or nothing: until the call returns no such swarm is there, whatever happens.
  /// Pages are taken one at a time, so the input may be larger than memory.
  ///
  /// - Throws: `.alreadyExists`; `.invalid` for entries out of order or records not in the order of a checkpoint; what the
  ///   pages throw.
  func restore(
    _ swarm: SwarmName, checkpoint: RestoredCheckpoint?, entries: Pages<JournalEntry>
  ) async throws(JournalError) -> any Journal

  /// Releases files and locks. Calls made afterwards throw `.closed`.
  func close() async throws(JournalError)
}

extension JournalStore {
  /// Creates a swarm whose journal holds `entries`, from revision 1 on, under a new epoch.
  public func restore(
    _ swarm: SwarmName, entries: [JournalEntry]
  ) async throws(JournalError) -> any Journal {
    try await restore(swarm, checkpoint: nil, entries: Pages(entries))
  }
}
