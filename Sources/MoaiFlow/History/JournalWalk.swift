/// Goes through a journal entry by entry and lets its user look at the state before and after each.
///
/// One page of entries is in memory, and the swarm as it stood after the entry applied last.
struct JournalWalk {
  private static let pageEntries = 1_000
  private static let pageBytes = 8 << 20

  private(set) var state: SwarmState
  private let journal: any Journal
  private let end: Revision
  private var page: ArraySlice<JournalEntry> = []

  /// Begins after the state's revision and ends with the entry at `end`.
  init(_ journal: any Journal, from state: SwarmState, through end: Revision) {
    self.journal = journal
    self.state = state
    self.end = end
  }

  /// The next entry, which ``apply(_:)`` must be given before the one after it; nil behind the last.
  mutating func next() async throws(SwarmError) -> Step? {
    guard state.revision < end else { return nil }
    if page.isEmpty {
      do {
        page = try await journal.read(
          after: state.revision, entryLimit: Int(min(Int64(JournalWalk.pageEntries), end - state.revision)),
          byteLimit: JournalWalk.pageBytes)[...]
      } catch {
        throw SwarmError(error)
      }
    }
    guard let stored = page.popFirst(), stored.revision == state.revision + 1 else {
      throw .corrupt(revision: state.revision + 1, "the entry is missing")
    }
    do {
      return Step(stored: stored, entry: try Entry(decoding: stored.payload))
    } catch {
      throw .corrupt(revision: stored.revision, "\(error)")
    }
  }

  mutating func apply(_ step: Step) -> SwarmState.Applied {
    state.apply(
      step.entry, revision: step.stored.revision, appendedAt: step.stored.appendedAt,
      payloadHash: step.stored.payload.stableHash)
  }

  struct Step {
    let stored: JournalEntry
    let entry: Entry

    var revision: Revision { stored.revision }
  }
}

extension SwarmState.Applied {
  /// Whether the entry's writes were made, just now.
  var hasWritten: Bool {
    guard !outcome.isRepeat else { return false }
    switch outcome.result {
    case .state, .replica(.merged): return true
    case .settings, .journal, .replica, .agent, .refused: return false
    }
  }
}

extension SwarmState {
  /// The swarm as it stood at a revision. Costs the newest checkpoint before it, and the entries from there.
  static func past(of journal: any Journal, at revision: Revision) async throws(SwarmError) -> SwarmState {
    var past: SwarmState
    do { past = try await SwarmState.loading(from: journal, upTo: revision) } catch { throw SwarmError(error) }
    try await past.replay(journal, upTo: revision)
    return past
  }
}

extension Entry {
  /// The keys that the entry is about, each once, in order.
  var stateKeys: [StateKey] {
    if case .state(.rewind(let rewind)) = command { return rewind.effects.map(\.key) }
    let writes = writes
    if writes.count == 1 { return [writes[0].key] }
    var seen: Set<StateKey> = []
    return writes.map(\.key).filter { seen.insert($0).inserted }
  }

  /// The writes that the entry makes, or, of a replica's delta, would make if no rule refuses them.
  var writes: [KeyWrite] {
    switch command {
    case .state(.write(let writes)): writes
    case .replica(.delta(let delta)): delta.writes
    case .state(.rewind), .settings, .journal, .replica, .agent: []
    }
  }
}
