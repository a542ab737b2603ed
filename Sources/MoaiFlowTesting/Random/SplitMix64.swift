/// A seeded generator: the same seed gives the same numbers on every machine (Steele, Lea, Flood 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) {
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number in `0 ..< bound` by plain remainder, as the benchmark inputs define it.
  public mutating func below(_ bound: Int) -> Int {
    Int(next() % UInt64(bound))
  }

  /// One number of two, in which every bit of both counts.
  package static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
    var generator = SplitMix64(seed: first)
    generator.state ^= second
    return generator.next()
  }
}
