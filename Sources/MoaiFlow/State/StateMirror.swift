/// A reader's own copy of shared state, kept up to date by changes (rules §5.3, §5.4).
///
/// It takes pages of a pass and batches of a feed, and applies each only where its knowledge ends; whatever it has is
/// the state of the swarm at ``revision``. The changes of a pass are put in place together with its last page, because
/// its deltas are against the beginning of the pass.
public struct StateMirror: Sendable {
  /// Why changes do not fit the copy.
  @nonexhaustive
  public enum Mismatch: Error, Sendable, Hashable {
    /// The changes begin after what the copy has; ask for what is between.
    case gap(has: Revision, begins: Revision)
    /// The operations are not for the value that the copy has: the copy was changed by somebody else.
    case unfit(StateKey)
  }

  /// What the copy has: the swarm at this place. Nil before the first complete pass.
  public private(set) var cursor: Cursor?
  public private(set) var values: [StateKey: StateValue] = [:]
  /// The pass under way.
  private var staged: [StateKey: StateValue?] = [:]

  public init() {}

  public var revision: Revision { cursor?.revision ?? 0 }

  /// Where to go on after what the copy has.
  public var start: ChangesStart { cursor.map { .after(.cursor($0)) } ?? .beginning }

  /// Takes the next page of the pass under way, or the first of a new one.
  public mutating func apply(_ page: ChangesPage) throws(Mismatch) {
    if page.isFirst { staged = [:] }
    try stage(page.changes)
    if let cursor = page.cursor { finishPass(at: cursor, isSnapshot: page.isSnapshot) }
  }

  /// Takes the next batch of a feed. A batch that the copy has already is skipped.
  public mutating func apply(_ batch: ChangeBatch) throws(Mismatch) {
    if let new = batch.cursor, new.epoch == cursor?.epoch, new.revision <= revision { return }
    // The changes of one entry fit any copy that has all before it; what was missed is against one place only. A place
    // in another epoch is no place before it, whatever its number.
    let isOfOurEpoch = batch.cursor.map { $0.epoch == cursor?.epoch ?? $0.epoch } ?? true
    let fits = isOfOurEpoch && (batch.timestamp == nil ? batch.after == revision : batch.after <= revision)
    guard batch.isSnapshot || fits else { throw .gap(has: revision, begins: batch.after) }
    if batch.isFirst { staged = [:] }
    try stage(batch.changes)
    if let cursor = batch.cursor { finishPass(at: cursor, isSnapshot: batch.isSnapshot) }
  }

  private mutating func stage(_ changes: [StateChange]) throws(Mismatch) {
    for change in changes {
      switch change.content {
      case .deleted: staged[change.key] = .some(nil)
      case .value(let value): staged[change.key] = value
      case .operations(let operations):
        guard let value = StateValue.applying(operations, to: values[change.key]) else { throw .unfit(change.key) }
        staged[change.key] = value
      }
    }
  }

  private mutating func finishPass(at cursor: Cursor, isSnapshot: Bool) {
    if isSnapshot { values = [:] }
    for (key, value) in staged { values[key] = value }
    staged = [:]
    self.cursor = cursor
  }
}
