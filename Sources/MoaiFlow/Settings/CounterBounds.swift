/// What a counter may be at least and at most (rule §4.6, after Balegas et al. 2015).
public struct CounterBounds: Sendable, Hashable {
  public var minimum: Int64?
  public var maximum: Int64?

  public init(minimum: Int64? = nil, maximum: Int64? = nil) {
    self.minimum = minimum
    self.maximum = maximum
  }

  public var isBounded: Bool { minimum != nil || maximum != nil }

  /// Whether a counter may move from one sum to another while `rights` are reserved for replicas that are away.
  ///
  /// Only a step towards a bound can cross it, so a counter that is outside already, because the bound is younger than
  /// its value, may always come back.
  func allows(_ sum: Int64, after previous: Int64, reserved: CounterRight) -> Bool {
    if let minimum, sum < previous, Int128(sum) - Int128(reserved.down) < Int128(minimum) { return false }
    if let maximum, sum > previous, Int128(sum) + Int128(reserved.up) > Int128(maximum) { return false }
    return true
  }
}

/// By how much somebody may still move a counter without asking: down towards its minimum, up towards its maximum.
public struct CounterRight: Sendable, Hashable {
  public var down: Int64
  public var up: Int64

  public init(down: Int64 = 0, up: Int64 = 0) {
    self.down = down
    self.up = up
  }

  public var isEmpty: Bool { down == 0 && up == 0 }
}

extension CounterBounds: CustomStringConvertible {
  public var description: String {
    switch (minimum, maximum) {
    case (let minimum?, let maximum?): "\(minimum) to \(maximum)"
    case (let minimum?, nil): "\(minimum) or more"
    case (nil, let maximum?): "\(maximum) or less"
    case (nil, nil): "any number"
    }
  }
}

extension CounterRight: CustomStringConvertible {
  public var description: String {
    switch (down, up) {
    case (let down, 0): "\(down)"
    case (0, let up): "\(up) upwards"
    case (let down, let up): "\(down) downwards and \(up) upwards"
    }
  }
}
