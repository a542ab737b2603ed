/// A hybrid logical timestamp: milliseconds since 1970 (UTC) and a counter that orders what happened within one
/// millisecond (rule §1.5; Kulkarni et al. 2014, "Logical Physical Clocks").
///
/// A total order: milliseconds first, then the counter.
public struct Timestamp: Hashable, Sendable {
  public let milliseconds: Int64
  public let logical: UInt16

  @inlinable
  public init(milliseconds: Int64, logical: UInt16 = 0) {
    self.milliseconds = milliseconds
    self.logical = logical
  }

  /// The next greater timestamp. A full counter is carried into the milliseconds; the very last timestamp is its own
  /// successor.
  @inlinable
  public var successor: Timestamp {
    guard logical == .max else { return Timestamp(milliseconds: milliseconds, logical: logical + 1) }
    return milliseconds == .max ? self : Timestamp(milliseconds: milliseconds + 1)
  }
}

extension Timestamp: Comparable {
  @inlinable
  public static func < (left: Self, right: Self) -> Bool {
    left.milliseconds == right.milliseconds ? left.logical < right.logical : left.milliseconds < right.milliseconds
  }
}
