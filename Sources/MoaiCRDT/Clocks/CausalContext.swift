/// The set of writes that a state has seen (rule §1.4; "causal context" in Almeida, Shoker, Baquero 2018).
///
/// Nearly always it is a vector clock: of each replica the writes 1…n. A delta that overtook another leaves a gap, and
/// a delta alone is nothing but such an island, so the set is kept as ranges: sorted by replica and number, and never
/// touching, so that a filled gap disappears by itself and equal sets are equal values. ``clock`` is the part without
/// gaps.
///
/// Asking and adding one write cost O(log n) in the number of ranges, joining costs O(n + m).
@frozen
public struct CausalContext: Hashable, Sendable {
  /// Sorted, disjoint, not even adjacent.
  @usableFromInline var storage: [DotRange]

  @inlinable
  public init() {
    storage = []
  }

  @inlinable
  public init(_ dots: some Sequence<Dot>) {
    storage = []
    for dot in dots { insert(dot) }
  }

  /// The writes of one range.
  @inlinable
  public init(range: DotRange) {
    storage = [range]
  }

  @inlinable
  init(sorted ranges: [DotRange]) {
    storage = ranges
  }

  /// The writes as ranges, sorted by replica and number, with at least one missing number between two of a replica.
  @inlinable
  public var ranges: [DotRange] { storage }

  @inlinable
  public var isEmpty: Bool { storage.isEmpty }

  /// The writes below the first gap of each replica.
  public var clock: VectorClock<ReplicaID> {
    VectorClock(storage.lazy.filter { $0.lower == 1 }.map { ($0.replica, $0.upper) })
  }

  /// The first range that ends at or behind the write `number` of `replica`, or behind the replica.
  @inlinable
  func position(_ replica: ReplicaID, _ number: UInt64) -> Int {
    var low = 0
    var high = storage.count
    while low < high {
      let middle = (low + high) / 2
      let range = storage[middle]
      if range.replica == replica ? range.upper < number : range.replica < replica {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  @inlinable
  public func contains(_ dot: Dot) -> Bool {
    let position = position(dot.replica, dot.number)
    return position < storage.count && storage[position].contains(dot)
  }

  /// The dot of the next write of `replica`: one above every number seen of it, gaps or not. Nil when the numbers of
  /// this replica are used up.
  @inlinable
  public func next(for replica: ReplicaID) -> Dot? {
    let behind = position(replica, .max)
    if behind < storage.count, storage[behind].replica == replica { return nil }
    guard behind > 0, storage[behind - 1].replica == replica else { return Dot(replica, 1) }
    return Dot(replica, storage[behind - 1].upper + 1)
  }

  /// The greatest number seen of `replica`, gaps or not; 0 if none.
  @inlinable
  public func lastNumber(of replica: ReplicaID) -> UInt64 {
    let behind = position(replica, .max)
    if behind < storage.count, storage[behind].replica == replica { return storage[behind].upper }
    guard behind > 0, storage[behind - 1].replica == replica else { return 0 }
    return storage[behind - 1].upper
  }

  @inlinable
  public mutating func insert(_ dot: Dot) {
    insert(DotRange(dot))
  }

  @inlinable
  public mutating func insert(_ range: DotRange) {
    let first = position(range.replica, range.lower - 1)
    var behind = first
    while behind < storage.count, storage[behind].replica == range.replica, storage[behind].lower - 1 <= range.upper {
      behind += 1
    }
    guard behind > first else {
      storage.insert(range, at: first)
      return
    }
    storage[first] = DotRange(
      range.replica, min(range.lower, storage[first].lower), max(range.upper, storage[behind - 1].upper))
    if behind > first + 1 { storage.removeSubrange(first + 1..<behind) }
  }
}

extension CausalContext {
  /// What is broken, in words; empty when nothing is.
  public func checkInvariants() -> [String] {
    var broken: [String] = []
    for range in storage where range.lower == 0 || range.lower > range.upper { broken.append("\(range) is no range") }
    for (left, right) in zip(storage, storage.dropFirst()) {
      if right.replica < left.replica || left.touches(right) { broken.append("\(left) stands before \(right)") }
    }
    return broken
  }
}

extension CausalContext: CustomStringConvertible {
  public var description: String {
    "{" + storage.map { "\($0.replica):\($0.lower)…\($0.upper)" }.joined(separator: ", ") + "}"
  }
}
