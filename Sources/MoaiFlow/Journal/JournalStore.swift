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

  /// Creates a swarm whose journal holds `entries` with the revisions and times that they carry, under a new epoch.
  /// All or nothing; entries must ascend without gaps from 1.
  ///
  /// - Throws: `.alreadyExists`, or `.invalid` for entries out of order.
  func restore(
    _ swarm: SwarmName, entries: [JournalEntry]
  ) async throws(JournalError) -> any Journal

  /// Releases files and locks. Calls made afterwards throw `.closed`.
  func close() async throws(JournalError)
}
