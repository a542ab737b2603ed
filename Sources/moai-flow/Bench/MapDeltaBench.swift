import MoaiCRDT

/// W6: the last 100 of 100,000 changes of a map, for a replica that has the others.
struct MapDeltaBench: BenchRound {
  private typealias Map = LWWMap<UTF8String, UTF8String>

  /// 10,000: random keys are overwritten; 100,000: each change has a key of its own.
  let keys: Int

  private static let changes = 100_000
  private static let known = 99_900
  private static let samples = 5

  func measure() throws -> [BenchRow] {
    var microseconds: [Double] = []
    var size = 0
    // Applying changes the replica, so each sample has its own: caches are as cold as after any other work.
    for _ in 0..<MapDeltaBench.samples {
      let source = map(changes: MapDeltaBench.changes)
      var replica = map(changes: MapDeltaBench.known)
      microseconds.append(
        try BenchTime.ofThread {
          let bytes = source.delta(since: replica.context).encoded()
          replica.merge(try Map(decoding: bytes))
          size = bytes.count
        } * 1e6)
      try BenchFailure.check(replica, is: source, "W6, the replica")
    }
    let what = "the last 100 of 100,000 changes, \(keys) keys"
    return [
      BenchRow("W6", what, "µs", microseconds.median, target: "≤ 60"),
      BenchRow("W6", what, "bytes", Double(size), target: "≤ 2,394"),
    ]
  }

  private func map(changes: Int) -> Map {
    var random = BenchRandom(seed: 6)
    let id = ReplicaID(0xABCD_EF01_2345_6789)
    var map = Map()
    for change in 0..<changes {
      let key = keys == MapDeltaBench.changes ? change : random.below(keys)
      map.put(
        UTF8String("v-" + change.digits(8)), forKey: UTF8String("key-" + key.digits(6)),
        at: Timestamp(milliseconds: .benchStart + Int64(change)), dot: Dot(id, UInt64(change + 1)))
    }
    return map
  }
}
