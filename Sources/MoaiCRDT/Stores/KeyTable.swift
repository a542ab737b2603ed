/// Keys in numbered slots, found by hash. A slot stays a key's own until the key is removed; then another key takes it.
///
/// A dictionary would do, but this table remembers every key's hash: growing it, and copying keys from one table into
/// another, which is what merging large sets is, hashes nothing. Linear probing; the order of slots depends on the
/// order of operations only.
@usableFromInline
@frozen
package struct KeyTable<Key: Hashable & Sendable>: Sendable {
  /// By slot. The key of a free slot is what was there last.
  @usableFromInline package var keys: [Key] = []
  /// By slot: 31 bits of the key's hash with the lowest bit set; 0 marks a free slot.
  @usableFromInline var marks: [UInt32] = []
  /// Slot + 1 of the key that hashed here or before here; 0 is empty. Empty as a whole while a scan is faster.
  @usableFromInline var buckets: [UInt32] = []
  @usableFromInline var free: [UInt32] = []

  @inlinable
  package init() {}

  @inlinable
  static var scanned: Int { 8 }

  @inlinable
  package static func mark(of key: Key) -> UInt32 {
    UInt32(truncatingIfNeeded: key.hashValue) | 1
  }

  @inlinable
  var count: Int { keys.count - free.count }

  @inlinable
  package func slot(of key: Key, mark: UInt32) -> Int? {
    if buckets.isEmpty {
      for slot in marks.indices where marks[slot] == mark && keys[slot] == key { return slot }
      return nil
    }
    let mask = buckets.count - 1
    var bucket = Int(mark >> 1) & mask
    while true {
      let taken = buckets[bucket]
      if taken == 0 { return nil }
      let slot = Int(taken) - 1
      if marks[slot] == mark, keys[slot] == key { return slot }
      bucket = (bucket + 1) & mask
    }
  }

  /// Gives a slot to `key`, which has none. A slot behind all others is new, any other was free.
  @inlinable
  package mutating func insert(_ key: Key, mark: UInt32) -> Int {
    let slot: Int
    if let reused = free.popLast() {
      slot = Int(reused)
      keys[slot] = key
      marks[slot] = mark
    } else {
      slot = keys.count
      keys.append(key)
      marks.append(mark)
    }
    if keys.count > Self.scanned || !buckets.isEmpty {
      if keys.count * 4 > buckets.count * 3 { rehash(for: keys.count) } else { link(slot) }
    }
    return slot
  }

  /// Makes room for `count` keys in all, so that adding them moves nothing. For an empty table.
  @inlinable
  mutating func reserve(_ count: Int) {
    keys.reserveCapacity(count)
    marks.reserveCapacity(count)
    if count > Self.scanned { rehash(for: count) }
  }

  @inlinable
  mutating func link(_ slot: Int) {
    let mask = buckets.count - 1
    var bucket = Int(marks[slot] >> 1) & mask
    while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
    buckets[bucket] = UInt32(slot + 1)
  }

  @inlinable
  mutating func rehash(for count: Int) {
    var size = Self.scanned * 2
    while count * 3 > size * 2 { size *= 2 }
    buckets = Array(repeating: 0, count: size)
    for slot in marks.indices where marks[slot] != 0 { link(slot) }
  }

  @inlinable
  package mutating func remove(slot: Int) {
    if !buckets.isEmpty { unlink(slot) }
    marks[slot] = 0
    free.append(UInt32(slot))
  }

  /// Empties the bucket of `slot` and moves up those behind it that would no longer be found.
  @inlinable
  mutating func unlink(_ slot: Int) {
    let mask = buckets.count - 1
    var hole = Int(marks[slot] >> 1) & mask
    while buckets[hole] != UInt32(slot + 1) { hole = (hole + 1) & mask }
    var next = (hole + 1) & mask
    while buckets[next] != 0 {
      let home = Int(marks[Int(buckets[next]) - 1] >> 1) & mask
      if (next - home) & mask >= (next - hole) & mask {
        buckets[hole] = buckets[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    buckets[hole] = 0
  }

  func checkInvariants() -> [String] {
    var broken: [String] = []
    for slot in keys.indices where marks[slot] != 0 {
      if marks[slot] != Self.mark(of: keys[slot]) { broken.append("slot \(slot) has a wrong mark") }
      if self.slot(of: keys[slot], mark: marks[slot]) != slot { broken.append("\(keys[slot]) is not found") }
    }
    if marks.count != keys.count { broken.append("\(keys.count) keys, \(marks.count) marks") }
    if Set(free).count != free.count || free.contains(where: { marks[Int($0)] != 0 }) {
      broken.append("a free slot is taken")
    }
    if marks.count(where: { $0 == 0 }) != free.count { broken.append("a free slot is not listed") }
    return broken
  }
}
