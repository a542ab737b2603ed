/// One writer incarnation that numbers its own writes 1, 2, 3… (rule §1.3).
///
/// Born with a random 64-bit id: a writer that forgot what it had numbered takes a new id instead of reusing numbers.
/// In a swarm's journal the replica of every online write is the journal itself, named by its epoch.
public struct ReplicaID: Hashable, Sendable {
  public let rawValue: UInt64

  @inlinable
  public init(_ rawValue: UInt64) {
    self.rawValue = rawValue
  }
}

extension ReplicaID: Comparable {
  @inlinable
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension ReplicaID: CustomStringConvertible {
  /// Sixteen hexadecimal digits.
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// The name of one write: the `number`-th write of `replica` (rule §1.3). Numbers start at 1.
public struct Dot: Hashable, Sendable {
  public let replica: ReplicaID
  public let number: UInt64

  @inlinable
  public init(_ replica: ReplicaID, _ number: UInt64) {
    self.replica = replica
    self.number = number
  }
}

extension Dot: Comparable {
  /// A total order for canonical encodings: by replica, then number. It says nothing about causality.
  @inlinable
  public static func < (left: Self, right: Self) -> Bool {
    left.replica == right.replica ? left.number < right.number : left.replica < right.replica
  }
}

extension Dot: CustomStringConvertible {
  public var description: String { "\(replica):\(number)" }
}
