extension CausalContext {
  /// The union. O(n + m), or O(m log n) where `other` is small beside this one.
  @inlinable
  public mutating func merge(_ other: Self) {
    if other.storage.count <= 1 + storage.count / 8 {
      for range in other.storage { insert(range) }
      return
    }
    var joined: [DotRange] = []
    joined.reserveCapacity(storage.count + other.storage.count)
    var left = 0
    var right = 0
    while left < storage.count || right < other.storage.count {
      let next: DotRange
      if right == other.storage.count || (left < storage.count && storage[left] <= other.storage[right]) {
        next = storage[left]
        left += 1
      } else {
        next = other.storage[right]
        right += 1
      }
      joined.appendJoining(next)
    }
    storage = joined
  }

  @inlinable
  public func merging(_ other: Self) -> Self {
    var joined = self
    joined.merge(other)
    return joined
  }

  /// Whether every write in `other` is in here. O(m log n).
  @inlinable
  public func covers(_ other: Self) -> Bool {
    other.storage.allSatisfy { range in
      let position = position(range.replica, range.upper)
      return position < storage.count && storage[position].replica == range.replica
        && storage[position].lower <= range.lower
    }
  }

  @inlinable
  public func isSubset(of other: Self) -> Bool { other.covers(self) }

  /// How the two sets of writes relate.
  @inlinable
  public func compare(to other: Self) -> CausalOrder {
    switch (covers(other), other.covers(self)) {
    case (true, true): .equal
    case (true, false): .after
    case (false, true): .before
    case (false, false): .concurrent
    }
  }

  /// The writes in here that are not in `other`. O(n + m).
  @inlinable
  public func subtracting(_ other: Self) -> Self {
    var rest: [DotRange] = []
    var right = 0
    for range in storage {
      while right < other.storage.count, other.storage[right].ends(before: range) { right += 1 }
      var lower = range.lower
      var isUsedUp = false
      var cut = right
      while cut < other.storage.count, other.storage[cut].replica == range.replica,
        other.storage[cut].lower <= range.upper
      {
        if other.storage[cut].lower > lower {
          rest.append(DotRange(range.replica, lower, other.storage[cut].lower - 1))
        }
        if other.storage[cut].upper >= range.upper {
          isUsedUp = true
          break
        }
        lower = other.storage[cut].upper + 1
        cut += 1
      }
      if !isUsedUp { rest.append(DotRange(range.replica, lower, range.upper)) }
    }
    return CausalContext(sorted: rest)
  }
}

extension DotRange {
  /// By replica, then by first number.
  @inlinable
  static func <= (left: Self, right: Self) -> Bool {
    left.replica == right.replica ? left.lower <= right.lower : left.replica < right.replica
  }

  @inlinable
  func ends(before other: DotRange) -> Bool {
    replica == other.replica ? upper < other.lower : replica < other.replica
  }
}

extension Array<DotRange> {
  /// Appends a range that does not start before the last one, growing the last one where they touch.
  @inlinable
  mutating func appendJoining(_ next: DotRange) {
    guard let last, last.touches(next) else {
      append(next)
      return
    }
    self[count - 1] = DotRange(last.replica, last.lower, Swift.max(last.upper, next.upper))
  }
}
