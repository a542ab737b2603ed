import MoaiCRDT

/// W4: two add-wins sets of 100,000 elements, half of them the same texts, merged.
struct SetMergeBench: BenchRound {
  func measure() throws -> [BenchRow] {
    var left = BenchSets.items(0..<100_000, by: BenchSets.left)
    let right = BenchSets.items(50_000..<150_000, by: BenchSets.right)
    let seconds = BenchTime.ofThread { left.merge(right) }
    try BenchFailure.check(left.count, is: 150_000, "W4 merge, elements")
    return [BenchRow("W4", "merge two sets of 100,000 elements", "ms", seconds * 1e3, target: "≤ 60")]
  }
}

/// W4: 100 new elements on their way to a replica that has the other 100,000.
struct SetDeltaBench: BenchRound {
  private let base = BenchSets.items(0..<100_000, by: BenchSets.left)
  private let source: ORSet<UTF8String>

  init() {
    var source = base
    for index in 0..<100 {
      source.insert(UTF8String("new-" + index.digits(3)), dot: Dot(BenchSets.right, UInt64(index + 1)))
    }
    self.source = source
  }

  func measure() throws -> [BenchRow] {
    var target = BenchSets.items(0..<100_000, by: BenchSets.left)
    var bytes: [UInt8] = []
    let encoding = BenchTime.ofThread { bytes = source.delta(since: target.context).encoded() }
    let applying = try BenchTime.ofThread { target.merge(try ORSet<UTF8String>(decoding: bytes)) }
    try BenchFailure.check(target, is: source, "W4 delta, the set")
    return [
      BenchRow("W4", "delta of 100 elements: encode", "µs", encoding * 1e6),
      BenchRow("W4", "delta of 100 elements: decode, apply", "µs", applying * 1e6),
      BenchRow("W4", "delta of 100 elements: all", "µs", (encoding + applying) * 1e6, target: "≤ 100"),
      BenchRow("W4", "delta of 100 elements: size", "bytes", Double(bytes.count)),
    ]
  }
}

private enum BenchSets {
  static let left = ReplicaID(0x1111_2222_3333_4444)
  static let right = ReplicaID(0x9111_2222_3333_4444)

  static func items(_ numbers: Range<Int>, by replica: ReplicaID) -> ORSet<UTF8String> {
    var set = ORSet<UTF8String>()
    for (index, number) in numbers.enumerated() {
      set.insert(UTF8String("item-" + number.digits(6)), dot: Dot(replica, UInt64(index + 1)))
    }
    return set
  }
}
