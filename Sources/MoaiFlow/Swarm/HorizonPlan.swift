/// What becomes of the horizon when a checkpoint is saved (decision 0005).
///
/// A horizon can only lie where a checkpoint is kept, and at most three are: the floor, the newest, and between them one
/// candidate. The candidate grows old until everything that has to stay readable lies behind it; then it becomes the
/// floor, and the newest checkpoint of that time the next candidate. So what stays is at least what the retention names,
/// and at most about twice as much and what lies between two checkpoints.
struct HorizonPlan: Equatable {
  struct Kept: Equatable {
    let revision: Revision
    /// Journal time of the cut: what came up to here was appended then or before.
    let time: Int64
  }

  /// Where an entry has to move the horizon, before anything else; nil: it stays.
  private(set) var moves: Revision?
  /// The kept checkpoint to trim the journal to once the horizon has come there; nil: none.
  private(set) var floor: Revision?
  /// Whether the newest checkpoint so far stays kept beside the one that is about to be saved.
  private(set) var keepsPrevious = false

  /// Nothing is trimmed.
  static let stays = HorizonPlan()

  private init() {}

  /// - Parameters:
  ///   - kept: the checkpoints that the journal keeps, ascending.
  ///   - floor: where the journal's entries begin.
  ///   - horizon: how far the entries have moved the horizon. Farther than `floor` if a trim was cut short.
  init(
    kept: [Kept], floor: Revision, horizon: Revision, head: Revision, time: Int64, retention: HistoryRetention
  ) {
    let above = kept.filter { $0.revision > floor }
    guard let newest = above.last else { return }
    let hasRoom = kept.count < KeptCheckpoints.limit
    // The newest can only become the floor if it stays kept while the next one is saved.
    let candidates = hasRoom ? above[...] : above.dropLast()
    moves =
      candidates.last { $0.revision > horizon && retention.allowsTrimming(to: $0, head: head, time: time) }?.revision
    let reached = moves ?? horizon
    self.floor = candidates.last { $0.revision <= reached }?.revision
    let hasCandidate = above.dropLast().contains { $0.revision > reached }
    keepsPrevious =
      hasRoom && (newest.revision == self.floor || retention.isBounded && newest.revision > reached && !hasCandidate)
  }
}

extension HistoryRetention {
  /// Whether everything that has to stay readable came after a checkpoint.
  fileprivate func allowsTrimming(to checkpoint: HorizonPlan.Kept, head: Revision, time: Int64) -> Bool {
    guard isBounded else { return false }
    if let entries, head - checkpoint.revision < entries { return false }
    if let milliseconds, time - checkpoint.time <= milliseconds { return false }
    return true
  }
}
