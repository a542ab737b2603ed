/// Why a counter refused.
public enum CounterOverflow: Error, Hashable, Sendable {
  /// The value is outside of Int64.
  case value
  /// What one replica added, or what it subtracted, would exceed 64 bits.
  case entry(ReplicaID)
}

/// A counter that every replica can raise and lower (Shapiro et al. 2011, section 3.1.3; rule §4.2).
///
/// Of each replica it keeps how much that replica has added and how much it has subtracted in all; each only grows, so
/// merging takes the greater, and no increment is counted twice or lost. The value is the exact sum.
///
/// A delta holds the changed entries. Merging is O(n + m), and O(m log n) where nothing new comes in.
public struct PNCounter: Lattice, Hashable {
  /// What one replica has done in all.
  public struct Entry: Hashable, Sendable {
    public let replica: ReplicaID
    public let added: UInt64
    public let subtracted: UInt64
  }

  /// Sorted by replica; no entry is zero in both.
  public private(set) var entries: [Entry] = []
  /// The exact sum: 2^63 entries of 64 bits fit.
  private var sum: Int128 = 0

  public init() {}

  /// The value. Throws ``CounterOverflow/value`` when increments made apart add up to more than Int64 holds; they are
  /// all kept, and decrementing brings the value back.
  public var value: Int64 {
    get throws(CounterOverflow) {
      guard let value = Int64(exactly: sum) else { throw .value }
      return value
    }
  }

  /// Adds `amount`, of either sign, for `replica`, and returns the delta. Throws, changing nothing, if that would take
  /// the value out of Int64, or further out, or would exceed the replica's total.
  @discardableResult
  public mutating func add(_ amount: Int64, by replica: ReplicaID) throws(CounterOverflow) -> Self {
    let next = sum + Int128(amount)
    guard Int64(exactly: next) != nil || next.magnitude < sum.magnitude else { throw .value }
    let position = position(of: replica)
    let isKnown = position < entries.count && entries[position].replica == replica
    let old = isKnown ? entries[position] : Entry(replica: replica, added: 0, subtracted: 0)
    let (added, addOverflow) = old.added.addingReportingOverflow(amount > 0 ? amount.magnitude : 0)
    let (subtracted, subtractOverflow) = old.subtracted.addingReportingOverflow(amount < 0 ? amount.magnitude : 0)
    guard !addOverflow, !subtractOverflow else { throw .entry(replica) }
    guard amount != 0 else { return Self() }
    let new = Entry(replica: replica, added: added, subtracted: subtracted)
    if isKnown { entries[position] = new } else { entries.insert(new, at: position) }
    sum = next
    var delta = Self()
    delta.entries = [new]
    delta.sum = new.net
    return delta
  }

  public mutating func merge(_ other: Self) {
    if other.entries.count > 8, other.entries.count * 8 > entries.count {
      mergeLinearly(other)
      return
    }
    for theirs in other.entries {
      let position = position(of: theirs.replica)
      if position < entries.count, entries[position].replica == theirs.replica {
        let joined = entries[position].joined(with: theirs)
        sum += joined.net - entries[position].net
        entries[position] = joined
      } else {
        entries.insert(theirs, at: position)
        sum += theirs.net
      }
    }
  }

  private mutating func mergeLinearly(_ other: Self) {
    var joined: [Entry] = []
    joined.reserveCapacity(max(entries.count, other.entries.count))
    var left = 0
    var right = 0
    while left < entries.count, right < other.entries.count {
      let ours = entries[left]
      let theirs = other.entries[right]
      if ours.replica <= theirs.replica { left += 1 }
      if theirs.replica <= ours.replica { right += 1 }
      if ours.replica == theirs.replica {
        joined.append(ours.joined(with: theirs))
      } else {
        joined.append(ours.replica < theirs.replica ? ours : theirs)
      }
    }
    joined.append(contentsOf: entries[left...])
    joined.append(contentsOf: other.entries[right...])
    entries = joined
    sum = entries.reduce(0) { $0 + $1.net }
  }

  /// The position of `replica`, or where it would be inserted. O(1) for one behind all others.
  private func position(of replica: ReplicaID) -> Int {
    guard let last = entries.last, replica <= last.replica else { return entries.count }
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].replica < replica { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension PNCounter {
  /// What is broken, in words; empty when nothing is.
  public func checkInvariants() -> [String] {
    var broken: [String] = []
    for (left, right) in zip(entries, entries.dropFirst()) where right.replica <= left.replica {
      broken.append("\(left.replica) stands before \(right.replica)")
    }
    for entry in entries where entry.added == 0 && entry.subtracted == 0 { broken.append("\(entry.replica) is zero") }
    if sum != entries.reduce(0, { $0 + $1.net }) { broken.append("the sum is off") }
    return broken
  }
}

extension PNCounter.Entry {
  var net: Int128 { Int128(added) - Int128(subtracted) }

  func joined(with other: Self) -> Self {
    Self(replica: replica, added: max(added, other.added), subtracted: max(subtracted, other.subtracted))
  }
}

extension PNCounter: BinaryLattice {
  @inlinable
  public static var kind: LatticeKind { .counter }

  public func encodeBody(into writer: inout ByteWriter) {
    writer.count(entries.count)
    for entry in entries {
      writer.fixed64(entry.replica.rawValue)
      writer.varint(entry.added)
      writer.varint(entry.subtracted)
    }
  }

  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    let count = try reader.count("entries", bytesPerElement: 10, limit: limits.elements)
    entries.reserveCapacity(count)
    for _ in 0..<count {
      let start = reader.offset
      let replica = ReplicaID(try reader.fixed64("replica"))
      if let last = entries.last, replica <= last.replica {
        throw DecodingFailure(.notCanonical("replicas out of order"), field: "replica", offset: start)
      }
      let entry = Entry(
        replica: replica, added: try reader.varint("added"), subtracted: try reader.varint("subtracted"))
      guard entry.added > 0 || entry.subtracted > 0 else {
        throw DecodingFailure(.notCanonical("an entry of zero"), field: "replica", offset: start)
      }
      entries.append(entry)
      sum += entry.net
    }
  }
}
