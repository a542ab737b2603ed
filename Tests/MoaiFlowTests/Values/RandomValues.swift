import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting

/// Values of every kind from a seed, small ones often, and texts that are awkward to compare and to escape.
struct RandomValues {
  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  static let texts = [
    "", "a", "a!", "a b", "a\"", "a\\", "a\n", "a\u{1}", "a\u{1F}", "A", "ab", "é", "e\u{301}", "\u{7F}", "\u{10FFFF}",
    "👩‍🚀",
    "0", "null", "key/with~signs", "a long text that does not fit a small string",
  ]
  static let integers: [Int64] = [0, 1, -1, 9, 10, 12, 100, -10, 1 << 53, .max, .min]
  static let doubles: [Double] = [
    0, 1, -1, 0.1, 1.5, 12, 1e16, 9_007_199_254_740_994, 9_999_999_999_999_998, 1e15, 1e-4, 1e-5, 5e-324, 1e300,
    -2.5e-10,
  ]

  mutating func value(depth: Int = 3) -> StateValue {
    switch random.below(depth > 0 ? 9 : 6) {
    case 0: .null
    case 1: .bool(random.below(2) == 0)
    case 2, 3: .int(RandomValues.integers[random.below(RandomValues.integers.count)])
    case 4: .double(RandomValues.doubles[random.below(RandomValues.doubles.count)])
    case 5: .string(text())
    case 6, 7: .array((0..<random.below(4)).map { _ in value(depth: depth - 1) })
    default: .object(object(depth: depth - 1))
    }
  }

  mutating func object(depth: Int) -> StateObject {
    var object = StateObject.empty
    for _ in 0..<random.below(4) { object = object.setting(text(), to: value(depth: depth)) }
    return object
  }

  mutating func text() -> UTF8String {
    UTF8String(RandomValues.texts[random.below(RandomValues.texts.count)])
  }
}
