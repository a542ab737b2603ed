import MoaiCRDT

/// Records by id, indexed by the revision that last changed them.
///
/// A record keeps its slot for life, so that other structures refer to it by a small integer. "What changed after
/// revision r" costs as much as what changed: the index is a log of (revision, slot) in which a record's older places
/// are skipped, and which is rewritten when more than half of it is stale.
///
/// `ID` and `Record` are values; the table is the only owner, so records change in place.
struct Table<ID: Hashable & Sendable, Record: Sendable>: Sendable {
  struct Row: Sendable {
    /// The last revision whose entry changed the record visibly; 0 before the first commit.
    var revision: Revision
    var record: Record
  }

  private struct Change: Sendable {
    let revision: Revision
    let slot: Int32
  }

  private(set) var rows: [Row] = []
  private var ids = KeyTable<ID>()
  private var changes: [Change] = []
  /// By slot: changed, visibly or not, since the last checkpoint.
  private var isDirty: [Bool] = []
  private var dirtySlots: [Int32] = []

  var count: Int { rows.count }
  /// Places in the index, stale ones included; at most twice the records and some.
  var changesKept: Int { changes.count }

  func slot(of id: ID) -> Int? {
    ids.slot(of: id, mark: KeyTable<ID>.mark(of: id))
  }

  func id(of slot: Int) -> ID { ids.keys[slot] }

  /// The row in a slot, for reading and for changing its record in place. O(1).
  subscript(slot: Int) -> Row {
    _read { yield rows[slot] }
    _modify { yield &rows[slot] }
  }

  /// Adds a record that no revision has changed yet and returns its slot.
  mutating func insert(_ record: Record, id: ID, revision: Revision = 0) -> Int {
    rows.append(Row(revision: revision, record: record))
    isDirty.append(false)
    return ids.insert(id, mark: KeyTable<ID>.mark(of: id))
  }

  /// Takes back the newest insertion.
  mutating func removeLast() {
    rows.removeLast()
    isDirty.removeLast()
    ids.remove(slot: rows.count)
  }

  /// Notes that the record's bytes changed and belong into the next checkpoint.
  mutating func markDirty(_ slot: Int) {
    guard !isDirty[slot] else { return }
    isDirty[slot] = true
    dirtySlots.append(Int32(slot))
  }

  /// Notes that the entry at `revision` changed the record visibly. Revisions never descend.
  mutating func touch(_ slot: Int, at revision: Revision) {
    rows[slot].revision = revision
    changes.append(Change(revision: revision, slot: Int32(slot)))
    if changes.count > 2 * rows.count + 64 { dropStaleChanges() }
  }

  /// Calls `body` with the slots changed after `revision`, each once, in the order of their last revisions, until it
  /// returns false. O(log n + what changed).
  func forEachChanged(after revision: Revision, _ body: (Int) -> Bool) {
    var index = firstChange(after: revision)
    while index < changes.count {
      let change = changes[index]
      index += 1
      let slot = Int(change.slot)
      if rows[slot].revision == change.revision, !body(slot) { return }
    }
  }

  /// The slots changed since the last call, in the order of their first change; they count as saved from now on.
  mutating func takeDirty() -> [Int] {
    let taken = dirtySlots.map(Int.init)
    for slot in taken { isDirty[slot] = false }
    dirtySlots.removeAll(keepingCapacity: true)
    return taken
  }

  /// Puts rows that came from a checkpoint into the order of their revisions.
  mutating func finishLoading() {
    changes = rows.indices.filter { rows[$0].revision > 0 }
      .map { Change(revision: rows[$0].revision, slot: Int32($0)) }
      .sorted { $0.revision == $1.revision ? $0.slot < $1.slot : $0.revision < $1.revision }
  }

  private func firstChange(after revision: Revision) -> Int {
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].revision > revision { high = middle } else { low = middle + 1 }
    }
    return low
  }

  private mutating func dropStaleChanges() {
    changes.removeAll { rows[Int($0.slot)].revision != $0.revision }
  }
}
