/// Replays a journal, entry by entry, for whoever wants to see what each of them did.
///
/// It begins with the newest kept checkpoint at or before a revision: the horizon if none is named, so that every entry
/// that there is comes. The whole swarm is in memory as it stood after the entry given last.
package struct JournalReplay: Sendable {
  package struct Step: Sendable {
    package let stored: JournalEntry
    package let entry: Entry
    package let applied: SwarmState.Applied
  }

  private static let pageEntries = 1_000
  private static let pageBytes = 8 << 20

  package private(set) var state: SwarmState
  private let journal: any Journal
  private var page: ArraySlice<JournalEntry> = []

  /// - Parameter revision: the last entry that need not be given; nil: the horizon.
  /// - Throws: `.trimmed` if that lies before the horizon; `.corrupt` if the checkpoint cannot be read.
  package init(_ journal: any Journal, after revision: Revision? = nil) async throws(SwarmError) {
    self.journal = journal
    do throws(JournalError) {
      let start: Revision
      if let revision { start = revision } else { start = try await journal.horizon() }
      state = try await SwarmState.loading(from: journal, upTo: start)
    } catch {
      throw SwarmError(error)
    }
  }

  /// The next entry, applied; nil at the end of the journal. After nil it may be asked again: entries may have come.
  ///
  /// - Throws: `.corrupt` naming the first entry that is damaged or cannot be decoded; every intact one before it was
  ///   given.
  package mutating func next() async throws(SwarmError) -> Step? {
    if page.isEmpty { page = try await readPage()[...] }
    guard let stored = page.popFirst() else { return nil }
    guard stored.revision == state.revision + 1 else {
      throw .corrupt(revision: state.revision + 1, "the journal continues with entry \(stored.revision)")
    }
    let entry: Entry
    do {
      entry = try Entry(decoding: stored.payload)
    } catch {
      throw .corrupt(revision: stored.revision, "\(error)")
    }
    let applied = state.apply(
      entry, revision: stored.revision, appendedAt: stored.appendedAt, payloadHash: stored.payload.stableHash)
    return Step(stored: stored, entry: entry, applied: applied)
  }

  private func readPage() async throws(SwarmError) -> [JournalEntry] {
    let after = state.revision
    do {
      return try await journal.read(
        after: after, entryLimit: JournalReplay.pageEntries, byteLimit: JournalReplay.pageBytes)
    } catch .corrupt(let revision, _) where revision > after + 1 {
      // The entries before the damaged one are intact; asking for no more than them gives them.
      do {
        return try await journal.read(
          after: after, entryLimit: Int(revision - 1 - after), byteLimit: JournalReplay.pageBytes)
      } catch {
        throw SwarmError(error)
      }
    } catch {
      throw SwarmError(error)
    }
  }
}
