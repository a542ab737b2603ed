extension SwarmState {
  /// Entries and bytes that one page of a replay reads.
  private static let pageEntries = 10_000
  private static let pageBytes = 16 << 20

  /// Applies the journal's entries after the state's revision, up to `limit` or to the end.
  ///
  /// - Throws: `.corrupt` naming the first entry that is damaged or cannot be decoded.
  mutating func replay(_ journal: any Journal, upTo limit: Revision = .max) async throws(SwarmError) {
    while revision < limit {
      let page: [JournalEntry]
      do {
        page = try await journal.read(
          after: revision, entryLimit: Int(min(Int64(SwarmState.pageEntries), limit - revision)),
          byteLimit: SwarmState.pageBytes)
      } catch {
        throw SwarmError(error)
      }
      if page.isEmpty { return }
      for entry in page { _ = try apply(entry) }
    }
  }

  /// Applies an entry as the journal keeps it.
  mutating func apply(_ stored: JournalEntry) throws(SwarmError) -> Applied {
    guard stored.revision == revision + 1 else {
      throw .corrupt(revision: revision + 1, "the journal continues with entry \(stored.revision)")
    }
    let entry: Entry
    do {
      entry = try Entry(decoding: stored.payload)
    } catch {
      throw .corrupt(revision: stored.revision, "\(error)")
    }
    return apply(
      entry, revision: stored.revision, appendedAt: stored.appendedAt, payloadHash: stored.payload.stableHash)
  }
}

extension [UInt8] {
  /// The hash by which an entry's bytes enter the chain.
  var stableHash: UInt64 {
    var hash = StableHash()
    hash.combine(bytes: self)
    return hash.finalize()
  }
}
