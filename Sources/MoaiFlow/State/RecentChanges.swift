import MoaiCRDT

/// What the parts of a key showed before its recent changes.
///
/// From here come deltas ("what turns the value at r into the value now", rule §5.3) and the value at a recent base
/// (rule §4.4), at a cost proportional to what changed since. It is bounded in bytes: behind `reach` the key's whole
/// value is sent instead, and a base is looked up in the journal.
struct RecentChanges: Sendable {
  struct Change: Sendable {
    let revision: Revision
    let part: Part
    /// What was shown before the change; nil: nothing. For a counter the sum, under `.whole`.
    let before: StateValue?
  }

  /// Bytes that every key may spend, beside as many as its value takes.
  static let freeBytes = 4096

  private(set) var changes: [Change] = []
  /// Every visible change after this revision is in `changes`.
  private(set) var reach: Revision
  private var bytes = 0

  /// The memory of a key that came into being at `revision`.
  init(since revision: Revision) {
    reach = revision
  }

  /// Notes a change; revisions never descend.
  mutating func append(_ change: Change) {
    changes.append(change)
    bytes += RecentChanges.size(of: change)
  }

  /// Forgets the oldest changes beyond `limit` bytes, whole revisions at a time. Amortised O(1) a change.
  mutating func trim(to limit: Int) {
    guard bytes > limit else { return }
    var kept = changes.startIndex
    // Trimming to half of the limit makes one removal from the front pay for many appends.
    while kept < changes.endIndex, bytes > limit / 2 {
      let revision = changes[kept].revision
      while kept < changes.endIndex, changes[kept].revision == revision {
        bytes -= RecentChanges.size(of: changes[kept])
        kept += 1
      }
      reach = revision
    }
    changes.removeSubrange(..<kept)
  }

  /// What each part changed after `revision` showed at `revision`, or nil if that is out of reach.
  func shown(at revision: Revision) -> [Part: StateValue?]? {
    guard revision >= reach else { return nil }
    var shown: [Part: StateValue?] = [:]
    for change in changes[firstIndex(after: revision)...] where shown[change.part] == nil {
      shown[change.part] = .some(change.before)
    }
    return shown
  }

  private func firstIndex(after revision: Revision) -> Int {
    var low = changes.startIndex
    var high = changes.endIndex
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].revision > revision { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private static func size(of change: Change) -> Int {
    let part =
      switch change.part {
      case .whole: 0
      case .field(let name): name.count
      case .element(let value): value.encodedSize
      }
    return 32 + part + (change.before?.encodedSize ?? 0)
  }
}
