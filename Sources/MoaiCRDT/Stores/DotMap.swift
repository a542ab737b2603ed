/// Keys, each with a store of its own ("DotMap" in Almeida, Shoker, Baquero 2018). A key whose store has become empty
/// is gone.
///
/// Stores may be dot maps again. Finding a key is O(1); so is finding a write. Joining costs O(log n) per range of the
/// other's context and O(1) per write in it: a small delta is cheap however large the map is. Keys iterate in no
/// particular order.
@frozen
public struct DotMap<Key: Hashable & Sendable, Store: DotStore>: Sendable {
  @usableFromInline var table: KeyTable<Key>
  /// By slot; empty for a free slot.
  @usableFromInline var stores: [Store]
  /// Also has entries of writes that are gone: an entry counts if the store of its slot contains its dot.
  @usableFromInline var log: DotLog
  /// Writes under all keys.
  @usableFromInline var dotCount: Int

  @inlinable
  public init() {
    table = KeyTable()
    stores = []
    log = DotLog()
    dotCount = 0
  }

  /// A map with one key.
  @inlinable
  public init(_ key: Key, _ store: Store) {
    self.init()
    guard !store.isEmpty else { return }
    let slot = makeSlot(key, mark: KeyTable<Key>.mark(of: key))
    stores[slot] = store
    store.forEachDot { dot in
      log.insert(dot, slot: slot)
      dotCount += 1
    }
  }

  /// The number of keys.
  @inlinable
  public var count: Int { table.count }

  @inlinable
  public var isEmpty: Bool { table.count == 0 }

  /// What is under `key`, nil if nothing is.
  @inlinable
  public subscript(key: Key) -> Store? {
    table.slot(of: key, mark: KeyTable<Key>.mark(of: key)).map { stores[$0] }
  }

  /// Calls `body` with every key and its store, in no particular order.
  @inlinable
  public func forEach(_ body: (Key, Store) throws -> Void) rethrows {
    for slot in stores.indices where !stores[slot].isEmpty { try body(table.keys[slot], stores[slot]) }
  }

  /// The keys, in no particular order.
  @inlinable
  public var keys: [Key] {
    stores.indices.filter { !stores[$0].isEmpty }.map { table.keys[$0] }
  }

  @inlinable
  mutating func makeSlot(_ key: Key, mark: UInt32) -> Int {
    if let slot = table.slot(of: key, mark: mark) { return slot }
    let slot = table.insert(key, mark: mark)
    if slot == stores.count { stores.append(Store()) }
    return slot
  }

  /// Removes the write but not its entry in the log.
  @inlinable
  mutating func drop(_ dot: Dot, slot: Int) {
    guard stores[slot].contains(dot) else { return }
    stores[slot].remove(dot)
    dotCount -= 1
    if stores[slot].isEmpty { table.remove(slot: slot) }
  }

  /// Copies the write `dot`, which lies in a slot of `other`, and enters it in `line` of the log.
  @inlinable
  mutating func adopt(_ dot: Dot, from other: Self, otherSlot: Int, line: Int) {
    let slot = makeSlot(other.table.keys[otherSlot], mark: other.table.marks[otherSlot])
    stores[slot].adopt(dot, from: other.stores[otherSlot])
    log.insert(dot.number, slot: slot, line: line)
    dotCount += 1
  }

  /// Forgets removed writes and keys once they outnumber what is there, so memory stays in proportion to the contents.
  @inlinable
  mutating func sweepIfNeeded() {
    if log.count > 2 * dotCount + 32 {
      log.sweep { dot, slot in stores[slot].contains(dot) }
    }
    if table.free.count > table.count + 32 {
      var packed = Self()
      for line in log.lines {
        let packedLine = packed.log.makeLine(of: line.replica)
        for entry in line.entries {
          let dot = Dot(line.replica, entry.number)
          guard stores[Int(entry.slot)].contains(dot) else { continue }
          packed.adopt(dot, from: self, otherSlot: Int(entry.slot), line: packedLine)
        }
      }
      self = packed
    }
  }
}

extension DotMap: Equatable {
  /// O(n) in the number of writes.
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    guard left.dotCount == right.dotCount, left.count == right.count else { return false }
    for line in left.log.lines {
      for entry in line.entries {
        let dot = Dot(line.replica, entry.number)
        guard left.stores[Int(entry.slot)].contains(dot) else { continue }
        guard left.agrees(with: right, at: dot) else { return false }
      }
    }
    return true
  }
}

extension DotMap {
  public func checkInvariants() -> [String] {
    var broken = table.checkInvariants() + log.checkInvariants()
    if stores.count != table.keys.count { broken.append("\(stores.count) stores, \(table.keys.count) slots") }
    var found = 0
    for slot in stores.indices {
      broken += stores[slot].checkInvariants()
      if stores[slot].isEmpty != (table.marks[slot] == 0) { broken.append("slot \(slot) and its store disagree") }
      stores[slot].forEachDot { dot in
        found += 1
        if log.slot(of: dot) != slot { broken.append("\(dot) is in slot \(slot), the log says otherwise") }
      }
    }
    if found != dotCount { broken.append("\(found) writes, counted \(dotCount)") }
    if log.count > 2 * dotCount + 32 { broken.append("the log was not swept") }
    return broken
  }
}
