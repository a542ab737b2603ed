import MoaiCRDT
import MoaiFlow

/// W1 and W2: 1,000 sets of versions of one key each, resolved again and again through the public resolver.
struct ResolveBench: BenchRound {
  struct Shape {
    let workload: String
    let what: String
    let target: String
    let seed: UInt64
    let versions: Int
    /// Entries of each version's clock; 0: no clock, newest timestamp wins.
    let clockEntries: Int
    let passes: Int
    /// The sum of the winners' version numbers over the 1,000 sets.
    let checksum: Int64

    static let threeByTime = Shape(
      workload: "W1", what: "resolve lww, 3 versions", target: "≥ 5,000,000", seed: 1, versions: 3, clockEntries: 0,
      passes: 1_000, checksum: 50_543)
    static let hundredByTime = Shape(
      workload: "W1", what: "resolve lww, 100 versions", target: "≥ 600,000", seed: 1, versions: 100, clockEntries: 0,
      passes: 100, checksum: 50_302)
    static let threeByClock = Shape(
      workload: "W2", what: "resolve vector, 3 versions with 8 entries", target: "≥ 2,000,000", seed: 2, versions: 3,
      clockEntries: 8, passes: 300, checksum: 49_558)
    static let sixteenByClock = Shape(
      workload: "W2", what: "resolve vector, 16 versions with 64 entries", target: "≥ 150,000", seed: 2, versions: 16,
      clockEntries: 64, passes: 30, checksum: 51_606)
  }

  private let shape: Shape
  private let sets: [[StateVersion]]
  private let resolver: ConflictResolver

  init(_ shape: Shape) throws {
    var random = BenchRandom(seed: shape.seed)
    self.shape = shape
    sets = try (0..<1_000).map { try ResolveBench.versions(ofSet: $0, shape, &random) }
    resolver = ConflictResolver(strategy: shape.clockEntries == 0 ? .lww : .vector)
  }

  private static func versions(
    ofSet set: Int, _ shape: Shape, _ random: inout BenchRandom
  ) throws -> [StateVersion] {
    var drawn: [(clock: [UInt64], timestamp: Int64, version: Int64)] = []
    for _ in 0..<shape.versions {
      let clock = (0..<shape.clockEntries).map { _ in UInt64(1 + random.below(100)) }
      let timestamp = .benchStart + Int64(random.below(1_000_000))
      drawn.append((clock, timestamp, Int64(1 + random.below(100))))
    }
    if shape.clockEntries > 0, set.isMultiple(of: 2) {
      // The last version has seen all others.
      var join = (0..<shape.clockEntries).map { entry in drawn.reduce(0) { max($0, $1.clock[entry]) } }
      join[(shape.versions - 1) % shape.clockEntries] += 1
      drawn[shape.versions - 1].clock = join
    }
    return try drawn.enumerated().map { index, drawn in
      let clock = drawn.clock.enumerated().map { (UTF8String("agent-" + $0.offset.digits(4)), $0.element) }
      return try StateVersion(
        key: StateKey("state/\(set)"), value: .string(UTF8String("value-\(set)-\(index)")), version: drawn.version,
        timestamp: Timestamp(milliseconds: drawn.timestamp), agent: UTF8String("agent-" + index.digits(4)),
        vectorClock: clock.isEmpty ? nil : VectorClock(clock))
    }
  }

  func measure() throws -> [BenchRow] {
    let keys = sets.map { $0[0].key.name.string }
    var sum: Int64 = 0
    let seconds = try BenchTime.ofThread {
      for _ in 0..<shape.passes {
        sum = 0
        for index in sets.indices {
          sum += try resolver.resolve(sets[index], for: keys[index]).shownVersion
        }
      }
    }
    try BenchFailure.check(sum, is: shape.checksum, "\(shape.workload) \(shape.what), checksum")
    return [
      BenchRow(
        shape.workload, shape.what, "resolutions/s", Double(shape.passes * sets.count) / seconds, target: shape.target)
    ]
  }
}

extension Resolution {
  /// The version number of the write that is shown.
  fileprivate var shownVersion: Int64 {
    if let inputIndex { return inputs[inputIndex].version }
    guard case .vector(let state) = resolved.crdtState else { return resolved.version }
    return state.elements[0].version
  }
}
