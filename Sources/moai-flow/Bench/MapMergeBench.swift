import MoaiCRDT

/// W5: ten replicas' maps of 2,000 random keys each, merged; by greatest timestamp, and add-wins beside it.
struct MapMergeBench: BenchRound {
  private typealias Fields = ORMap<UTF8String, DotFun<UTF8String>>

  private let byTime: [LWWMap<UTF8String, UTF8String>]
  private let addWins: [ORMap<UTF8String, DotFun<UTF8String>>]

  init() {
    var random = BenchRandom(seed: 5)
    var byTime: [LWWMap<UTF8String, UTF8String>] = []
    var addWins: [Fields] = []
    for replica in 0..<10 {
      // A replica's id is random in real life too.
      var identity = BenchRandom(seed: UInt64(1_000 + replica))
      let id = ReplicaID(identity.next())
      var lww = LWWMap<UTF8String, UTF8String>()
      var fields = Fields()
      for index in 0..<2_000 {
        let key = UTF8String("key-" + random.below(10_000).digits(5))
        let value = UTF8String("v-" + replica.digits(2) + "-" + index.digits(5))
        let timestamp = Timestamp(milliseconds: .benchStart + Int64(10 * index + replica))
        let dot = Dot(id, UInt64(index + 1))
        lww.put(value, forKey: key, at: timestamp, dot: dot)
        fields.put(value, forKey: key, dot: dot)
      }
      byTime.append(lww)
      addWins.append(fields)
    }
    self.byTime = byTime
    self.addWins = addWins
  }

  func measure() throws -> [BenchRow] {
    var lww = LWWMap<UTF8String, UTF8String>()
    let lwwSeconds = BenchTime.ofThread {
      lww = byTime[0]
      for map in byTime.dropFirst() { lww.merge(map) }
    }
    var fields = Fields()
    let fieldsSeconds = BenchTime.ofThread {
      fields = addWins[0]
      for map in addWins.dropFirst() { fields.merge(map) }
    }
    try BenchFailure.check(lww.count, is: 8_660, "W5 LWWMap, keys")
    try BenchFailure.check(fields.count, is: 8_660, "W5 ORMap, keys")
    return [
      BenchRow("W5", "merge ten LWWMaps of 2,000 keys", "ms", lwwSeconds * 1e3, target: "≤ 5"),
      BenchRow("W5", "their size", "kB", Double(lww.encoded().count) / 1e3, target: "≤ 290"),
      BenchRow("W5", "merge ten ORMaps (all unseen writes)", "ms", fieldsSeconds * 1e3),
      BenchRow("W5", "their size", "kB", Double(fields.encoded().count) / 1e3),
    ]
  }
}
