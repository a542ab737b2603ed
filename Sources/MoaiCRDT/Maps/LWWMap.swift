/// A map in which, per key, the write with the greatest timestamp wins, a remove being a write like any other
/// (Shapiro et al. 2011, section 3.2.1, per key).
///
/// **It loses writes by design**, as ``LWWRegister`` does; where a put must survive a remove that had not seen it use
/// ``ORMap``. A removed key stays as a tombstone with its timestamp, or an older put would bring it back; the map never
/// shrinks.
///
/// Writes are ordered by (timestamp, dot), which no two share. The context makes ``delta(since:)`` cost what changed
/// and not what exists. Reading and writing a key is O(1). Keys iterate in no particular order.
public struct LWWMap<Key: Hashable & Sendable, Value: Equatable & Sendable>: CausalLattice {
  @usableFromInline
  @frozen
  struct Entry: Equatable, Sendable {
    @usableFromInline let timestamp: Timestamp
    @usableFromInline let dot: Dot
    /// Nil: removed.
    @usableFromInline let value: Value?

    @inlinable
    init(timestamp: Timestamp, dot: Dot, value: Value?) {
      self.timestamp = timestamp
      self.dot = dot
      self.value = value
    }

    @inlinable
    func wins(over other: Entry) -> Bool {
      timestamp == other.timestamp ? dot > other.dot : timestamp > other.timestamp
    }
  }

  @usableFromInline var table: KeyTable<Key>
  /// By slot; no slot is ever free.
  @usableFromInline var entries: [Entry]
  /// Also has entries of writes that lost since: one counts if its slot's entry has its dot.
  @usableFromInline var log: DotLog
  @usableFromInline var seen: CausalContext
  @usableFromInline var presentCount: Int

  @inlinable
  public init() {
    table = KeyTable()
    entries = []
    log = DotLog()
    seen = CausalContext()
    presentCount = 0
  }

  /// The number of keys with a value.
  @inlinable
  public var count: Int { presentCount }

  @inlinable
  public var isEmpty: Bool { presentCount == 0 }

  /// The number of keys that only remember that they were removed.
  @inlinable
  public var tombstoneCount: Int { entries.count - presentCount }

  @inlinable
  public var context: CausalContext { seen }

  @inlinable
  public subscript(key: Key) -> Value? {
    entry(of: key)?.value
  }

  /// When the value of `key`, or its tombstone, was written; nil for a key never written.
  @inlinable
  public func timestamp(of key: Key) -> Timestamp? {
    entry(of: key)?.timestamp
  }

  @inlinable
  func entry(of key: Key) -> Entry? {
    table.slot(of: key, mark: KeyTable<Key>.mark(of: key)).map { entries[$0] }
  }

  /// Calls `body` with every key that has a value, in no particular order.
  @inlinable
  public func forEach(_ body: (Key, Value) throws -> Void) rethrows {
    for slot in entries.indices {
      if let value = entries[slot].value { try body(table.keys[slot], value) }
    }
  }

  /// The keys that have a value, in no particular order.
  @inlinable
  public var keys: [Key] {
    entries.indices.filter { entries[$0].value != nil }.map { table.keys[$0] }
  }
}

extension LWWMap {
  /// Puts `value` under `key` unless a greater write is there already, and returns the delta either way.
  ///
  /// - Precondition: `dot` was never used before; ``CausalContext/next(for:)`` gives it.
  @inlinable
  @discardableResult
  public mutating func put(_ value: Value, forKey key: Key, at timestamp: Timestamp, dot: Dot) -> Self {
    write(key, Entry(timestamp: timestamp, dot: dot, value: value))
  }

  /// Removes `key` unless a greater write is there already, and returns the delta either way.
  ///
  /// - Precondition: `dot` was never used before; ``CausalContext/next(for:)`` gives it.
  @inlinable
  @discardableResult
  public mutating func remove(_ key: Key, at timestamp: Timestamp, dot: Dot) -> Self {
    write(key, Entry(timestamp: timestamp, dot: dot, value: nil))
  }

  @inlinable
  mutating func write(_ key: Key, _ entry: Entry) -> Self {
    precondition(
      entry.dot.number > 0 && !seen.contains(entry.dot), "a dot names one write, and \(entry.dot) is already used")
    var delta = Self()
    delta.take(key, KeyTable<Key>.mark(of: key), entry, line: delta.log.makeLine(of: entry.dot.replica))
    delta.seen.insert(entry.dot)
    merge(delta)
    return delta
  }

  /// Lets `entry` compete for `key`, and enters it in `line` of the log if it wins.
  @inlinable
  mutating func take(_ key: Key, _ mark: UInt32, _ entry: Entry, line: Int) {
    let slot: Int
    if let found = table.slot(of: key, mark: mark) {
      guard entry.wins(over: entries[found]) else { return }
      if entries[found].value != nil { presentCount -= 1 }
      entries[found] = entry
      slot = found
    } else {
      slot = table.insert(key, mark: mark)
      entries.append(entry)
    }
    if entry.value != nil { presentCount += 1 }
    log.insert(entry.dot.number, slot: slot, line: line)
  }

  /// O(1) per write of `other` that is new here.
  @inlinable
  public mutating func merge(_ other: Self) {
    take(from: other, outside: seen)
    seen.merge(other.seen)
    sweepIfNeeded()
  }

  @inlinable
  mutating func take(from other: Self, outside context: CausalContext) {
    for otherLine in other.log.lines.indices {
      let replica = other.log.lines[otherLine].replica
      var line: Int?
      other.log.forEach(inLine: otherLine, outside: context) { logged in
        let slot = Int(logged.slot)
        let entry = other.entries[slot]
        guard entry.dot == Dot(replica, logged.number) else { return }
        let target = line ?? log.makeLine(of: replica)
        line = target
        take(other.table.keys[slot], other.table.marks[slot], entry, line: target)
      }
    }
  }

  /// Makes room for `count` keys, within reason: the number may come from outside.
  @inlinable
  mutating func reserve(_ count: Int) {
    let bounded = min(count, 1_024)
    table.reserve(bounded)
    entries.reserveCapacity(bounded)
  }

  @inlinable
  mutating func sweepIfNeeded() {
    guard log.count > 2 * entries.count + 32 else { return }
    log.sweep { dot, slot in entries[slot].dot == dot }
  }

  /// The winning writes that `seen` lacks. Costs what changed, however much there is.
  @inlinable
  public func delta(since seen: CausalContext) -> Self {
    var delta = Self()
    delta.reserve(log.count(outside: seen))
    delta.take(from: self, outside: seen)
    delta.seen = self.seen.subtracting(seen)
    return delta
  }
}

extension LWWMap: Equatable {
  /// O(n) in the number of keys.
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    guard left.seen == right.seen, left.entries.count == right.entries.count else { return false }
    return left.entries.indices.allSatisfy { slot in
      right.table.slot(of: left.table.keys[slot], mark: left.table.marks[slot])
        .map { right.entries[$0] == left.entries[slot] } ?? false
    }
  }
}

extension LWWMap {
  /// What is broken, in words; empty when nothing is.
  public func checkInvariants() -> [String] {
    var broken = table.checkInvariants() + log.checkInvariants() + seen.checkInvariants()
    if entries.count != table.keys.count || !table.free.isEmpty { broken.append("keys and entries do not pair up") }
    for (slot, entry) in entries.enumerated() {
      if log.slot(of: entry.dot) != slot { broken.append("the log does not lead from \(entry.dot) to its key") }
      if !seen.contains(entry.dot) { broken.append("the context lacks \(entry.dot)") }
    }
    if Set(entries.map(\.dot)).count != entries.count { broken.append("two keys share a dot") }
    if entries.count(where: { $0.value != nil }) != presentCount { broken.append("keys with a value are miscounted") }
    if log.count > 2 * entries.count + 32 { broken.append("the log was not swept") }
    return broken
  }
}
