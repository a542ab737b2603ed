import MoaiCRDT

extension Swarm {
  /// Applies what other processes appended since, and tells the followers.
  ///
  /// For a swarm that this process only reads. While a batch of its own is under way the writer loop does the same, so
  /// then this does nothing.
  package func refresh() async throws(SwarmError) {
    while !isWriting, stopped == nil {
      let page: [JournalEntry]
      do {
        page = try await journal.read(after: core.revision, entryLimit: 10_000, byteLimit: 16 << 20)
      } catch {
        throw SwarmError(error)
      }
      if page.isEmpty || isWriting { return }
      for entry in page where entry.revision == core.revision + 1 { publish(try core.apply(entry)) }
    }
  }
}
