/// A hybrid logical clock (rule §1.5; Kulkarni et al. 2014, "Logical Physical Clocks", figure 5): it follows the wall
/// clock and still never gives a timestamp that is not greater than every one it gave or received.
///
/// A value without a clock of its own: the reading of the wall clock is an argument. It does not judge how far ahead a
/// received timestamp is; bound that before ``receive(_:now:)``, because one absurd timestamp moves the clock for good.
/// At the end of the 64-bit milliseconds it stands still.
public struct HybridLogicalClock: Hashable, Sendable {
  /// The greatest timestamp given or received.
  public private(set) var last: Timestamp

  public init(last: Timestamp = Timestamp(milliseconds: 0)) {
    self.last = last
  }

  /// The timestamp of a local event: `now` if that is ahead of ``last``, else the successor of ``last``.
  ///
  /// - Parameter now: the wall clock in milliseconds since 1970.
  public mutating func tick(now: Int64) -> Timestamp {
    last = max(last.successor, Timestamp(milliseconds: now))
    return last
  }

  /// The timestamp of receiving `remote`: greater than it, than ``last``, and not behind `now`.
  public mutating func receive(_ remote: Timestamp, now: Int64) -> Timestamp {
    last = max(last.successor, remote.successor, Timestamp(milliseconds: now))
    return last
  }
}
