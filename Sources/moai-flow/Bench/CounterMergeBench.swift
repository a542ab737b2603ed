import MoaiCRDT

/// W3: 1,000 replicas' counters, each holding its own increments only, folded into one.
struct CounterMergeBench: BenchRound {
  private let grown: [PNCounter]
  private let mixed: [PNCounter]

  init() throws {
    var random = BenchRandom(seed: 3)
    let replicas = (0..<1_000).map { _ in ReplicaID(random.next()) }
    grown = try replicas.map { try CounterMergeBench.counter(of: $0, decrements: 0) }
    mixed = try replicas.map { try CounterMergeBench.counter(of: $0, decrements: 50) }
  }

  private static func counter(of replica: ReplicaID, decrements: Int) throws -> PNCounter {
    var counter = PNCounter()
    for _ in 0..<100 { try counter.add(1, by: replica) }
    for _ in 0..<decrements { try counter.add(-1, by: replica) }
    return counter
  }

  func measure() throws -> [BenchRow] {
    [
      BenchRow("W3", "merge 1,000 counters of increments", "ms", try fold(grown, is: 100_000) * 1e3, target: "≤ 0.3"),
      BenchRow("W3", "the same with decrements", "ms", try fold(mixed, is: 50_000) * 1e3, target: "≤ 0.3"),
    ]
  }

  private func fold(_ counters: [PNCounter], is expected: Int64) throws -> Double {
    var merged = PNCounter()
    let seconds = BenchTime.ofThread {
      merged = counters[0]
      for counter in counters.dropFirst() { merged.merge(counter) }
    }
    try BenchFailure.check(try merged.value, is: expected, "W3, value")
    return seconds
  }
}
