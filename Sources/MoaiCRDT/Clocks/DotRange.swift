/// Consecutive writes of one replica, from `lower` to `upper`, both included.
@frozen
public struct DotRange: Hashable, Sendable {
  public let replica: ReplicaID
  public let lower: UInt64
  public let upper: UInt64

  /// - Precondition: 1 ≤ `lower` ≤ `upper`.
  @inlinable
  public init(_ replica: ReplicaID, _ lower: UInt64, _ upper: UInt64) {
    precondition(lower >= 1 && lower <= upper, "write numbers start at 1 and a range is not empty")
    self.replica = replica
    self.lower = lower
    self.upper = upper
  }

  @inlinable
  public init(_ dot: Dot) {
    self.init(dot.replica, dot.number, dot.number)
  }

  @inlinable
  public func contains(_ dot: Dot) -> Bool {
    replica == dot.replica && lower <= dot.number && dot.number <= upper
  }

  /// Whether `next`, which does not start before this range, overlaps it or begins right behind it.
  @inlinable
  func touches(_ next: DotRange) -> Bool {
    // `lower - 1` cannot wrap, `upper + 1` could.
    replica == next.replica && next.lower - 1 <= upper
  }
}
