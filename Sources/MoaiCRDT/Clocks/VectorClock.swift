/// How two causal histories relate.
@frozen
public enum CausalOrder: Hashable, Sendable {
  case equal
  /// The left history is part of the right one.
  case before
  /// The right history is part of the left one.
  case after
  /// Each knows something that the other does not.
  case concurrent
}

/// The highest write number seen of each writer (rule §1.4).
///
/// An entry of 0 and an absent entry are the same thing, so zeros are never stored. Clocks are partially ordered: two
/// of them can be concurrent, which no `<` can express, so this type is not `Comparable`; ask ``compare(to:)``.
///
/// Entries lie in one array sorted by id: joining and comparing are linear merges that hash nothing. Lookup is
/// O(log n); raising an entry that is not there yet is O(n).
@frozen
public struct VectorClock<ID: Hashable & Comparable & Sendable>: Hashable, Sendable {
  @frozen
  public struct Entry: Hashable, Sendable {
    public let id: ID
    @usableFromInline var raisedNumber: UInt64

    /// The highest number seen of `id`, at least 1.
    @inlinable
    public var number: UInt64 { raisedNumber }

    @inlinable
    init(id: ID, number: UInt64) {
      self.id = id
      raisedNumber = number
    }

    @inlinable
    mutating func raise(to number: UInt64) {
      raisedNumber = Swift.max(raisedNumber, number)
    }
  }

  @usableFromInline var storage: [Entry]

  /// Sorted by id, every number at least 1.
  @inlinable
  public var entries: [Entry] { storage }

  @inlinable
  public init() {
    storage = []
  }

  /// From pairs in any order. Zeros are dropped; of a repeated id the greatest number counts.
  @inlinable
  public init(_ pairs: some Sequence<(ID, UInt64)>) {
    storage = []
    storage.reserveCapacity(pairs.underestimatedCount)
    var isSorted = true
    for (id, number) in pairs where number > 0 {
      if let last = storage.last, !(last.id < id) { isSorted = false }
      storage.append(Entry(id: id, number: number))
    }
    if !isSorted { normalise() }
  }

  @inlinable
  mutating func normalise() {
    storage.sort { $0.id < $1.id }
    var kept = 0
    for index in storage.indices.dropFirst() {
      if storage[index].id == storage[kept].id {
        storage[kept].raise(to: storage[index].number)
      } else {
        kept += 1
        storage[kept] = storage[index]
      }
    }
    storage.removeLast(storage.count - kept - 1)
  }

  @inlinable
  public var isEmpty: Bool { storage.isEmpty }

  /// The number of writers with an entry.
  @inlinable
  public var count: Int { storage.count }

  /// The position of `id`, or where it would be inserted.
  @inlinable
  func position(of id: ID) -> Int {
    var low = 0
    var high = storage.count
    while low < high {
      let middle = (low + high) / 2
      if storage[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The highest number seen of `id`; 0 if none.
  @inlinable
  public subscript(id: ID) -> UInt64 {
    let position = position(of: id)
    return position < storage.count && storage[position].id == id ? storage[position].number : 0
  }

  /// Raises the entry of `id` to at least `number`. Never lowers it.
  @inlinable
  public mutating func raise(_ id: ID, to number: UInt64) {
    guard number > 0 else { return }
    let position = position(of: id)
    if position < storage.count, storage[position].id == id {
      storage[position].raise(to: number)
    } else {
      storage.insert(Entry(id: id, number: number), at: position)
    }
  }
}

extension VectorClock {
  /// How this clock relates to `other`. O(n + m), and stops at the first proof that they are concurrent.
  @inlinable
  public func compare(to other: Self) -> CausalOrder {
    withEntries(other) { ours, theirs in
      var hasMore = false
      var hasLess = false
      var left = 0
      var right = 0
      while left < ours.count, right < theirs.count, !(hasMore && hasLess) {
        if ours[left].id == theirs[right].id {
          if ours[left].number > theirs[right].number { hasMore = true }
          if ours[left].number < theirs[right].number { hasLess = true }
          left += 1
          right += 1
        } else if ours[left].id < theirs[right].id {
          hasMore = true
          left += 1
        } else {
          hasLess = true
          right += 1
        }
      }
      if left < ours.count { hasMore = true }
      if right < theirs.count { hasLess = true }
      switch (hasMore, hasLess) {
      case (false, false): return .equal
      case (true, false): return .after
      case (false, true): return .before
      case (true, true): return .concurrent
      }
    }
  }

  /// Whether this clock has seen everything that `other` has: it is equal or after. O(n + m).
  @inlinable
  public func covers(_ other: Self) -> Bool {
    withEntries(other) { ours, theirs in
      guard theirs.count <= ours.count else { return false }
      var left = 0
      for right in theirs.indices {
        while left < ours.count, ours[left].id != theirs[right].id {
          guard ours[left].id < theirs[right].id else { return false }
          left += 1
        }
        guard left < ours.count, ours[left].number >= theirs[right].number else { return false }
        left += 1
      }
      return true
    }
  }

  /// Both arrays as buffers: their elements are compared in place, which spares every id a retain and a release.
  @inlinable
  func withEntries<Result>(
    _ other: Self, _ body: (UnsafeBufferPointer<Entry>, UnsafeBufferPointer<Entry>) -> Result
  ) -> Result {
    storage.withUnsafeBufferPointer { ours in
      other.storage.withUnsafeBufferPointer { theirs in body(ours, theirs) }
    }
  }

  /// The join: of every writer the greater number. O(n + m); allocates only when `other` has a writer of its own.
  @inlinable
  public mutating func merge(_ other: Self) {
    let missing: (left: Int, right: Int)? = storage.withUnsafeMutableBufferPointer { ours in
      other.storage.withUnsafeBufferPointer { theirs in
        var left = 0
        for right in theirs.indices {
          while left < ours.count, ours[left].id != theirs[right].id, ours[left].id < theirs[right].id { left += 1 }
          guard left < ours.count, ours[left].id == theirs[right].id else { return (left, right) }
          ours[left].raise(to: theirs[right].number)
          left += 1
        }
        return nil
      }
    }
    if let missing { mergeTails(missing.left, other, missing.right) }
  }

  /// Joins the tails behind `left` and `right`, where the writer at `right` is missing at `left`.
  @inlinable
  mutating func mergeTails(_ left: Int, _ other: Self, _ right: Int) {
    var joined = Array(storage[..<left])
    joined.reserveCapacity(storage.count + other.storage.count - right)
    var left = left
    var right = right
    while left < storage.count, right < other.storage.count {
      let l = storage[left]
      let r = other.storage[right]
      if l.id == r.id {
        joined.append(l.number < r.number ? r : l)
        left += 1
        right += 1
      } else if l.id < r.id {
        joined.append(l)
        left += 1
      } else {
        joined.append(r)
        right += 1
      }
    }
    joined.append(contentsOf: storage[left...])
    joined.append(contentsOf: other.storage[right...])
    storage = joined
  }

  @inlinable
  public func merging(_ other: Self) -> Self {
    var joined = self
    joined.merge(other)
    return joined
  }
}

extension VectorClock {
  /// What is broken, in words; empty when nothing is.
  public func checkInvariants() -> [String] {
    var broken: [String] = []
    for entry in storage where entry.number == 0 { broken.append("\(entry.id) has an entry of 0") }
    for (left, right) in zip(storage, storage.dropFirst()) where !(left.id < right.id) {
      broken.append("\(left.id) stands before \(right.id)")
    }
    return broken
  }
}
