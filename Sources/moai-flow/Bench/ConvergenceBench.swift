import MoaiCRDT
import MoaiFlow

/// W7: 100 replicas make 100 operations each on one map, then exchange through the first of them until all are equal.
struct ConvergenceBench: BenchRound {
  private static let replicas = 100
  private static let operations = 100
  private static let key = "map"

  private struct Operation {
    let field: String
    /// Nil: the field is removed.
    let value: String?
    let milliseconds: Int64
  }

  func measure() throws -> [BenchRow] {
    let plan = ConvergenceBench.plan()
    var replicas = (0..<ConvergenceBench.replicas).map { number in
      ReplicaRehearsal(agent: "agent-\(number.digits(4))", id: ReplicaID(BenchRandom.word(7_000 + UInt64(number))))
    }
    let writing = try BenchTime.ofThread {
      for (number, operations) in plan.enumerated() {
        for operation in operations {
          try replicas[number].write(
            operation.value, field: operation.field, in: ConvergenceBench.key, now: operation.milliseconds)
        }
      }
    }
    var bytes = 0
    let exchanging = try BenchTime.ofThread {
      for number in 1..<ConvergenceBench.replicas {
        let question = replicas[0].summary()
        let answer = try replicas[number].answer(question)
        bytes += question.count + answer.count
        try replicas[0].take(answer, now: .benchStart)
      }
      for number in 1..<ConvergenceBench.replicas {
        let question = replicas[number].summary()
        let answer = try replicas[0].answer(question)
        bytes += question.count + answer.count
        try replicas[number].take(answer, now: .benchStart)
      }
    }
    let expected = replicas[0].value(ConvergenceBench.key)
    for number in 1..<ConvergenceBench.replicas {
      try BenchFailure.check(replicas[number].value(ConvergenceBench.key), is: expected, "W7, replica \(number)")
    }
    let what = "100 replicas × 100 operations on one map, exchanged in a star"
    return [
      BenchRow("W7", what, "ms", (writing + exchanging) * 1e3, target: "≤ 60"),
      BenchRow("W7", "of that the operations", "ms", writing * 1e3, target: ""),
      BenchRow("W7", what, "bytes", Double(bytes), target: "≤ 2,000,000"),
    ]
  }

  private static func plan() -> [[Operation]] {
    var random = BenchRandom(seed: 7)
    return (0..<replicas).map { replica in
      (0..<operations).map { number in
        let field = "k-" + random.below(1_000).digits(3)
        let isSet = random.below(10) < 8
        return Operation(
          field: field, value: isSet ? "v-\(replica.digits(2))-\(number.digits(3))" : nil,
          milliseconds: .benchStart + Int64(100 * number + replica))
      }
    }
  }
}

extension BenchRandom {
  /// One word of a generator that begins at `seed`.
  fileprivate static func word(_ seed: UInt64) -> UInt64 {
    var random = BenchRandom(seed: seed)
    return random.next()
  }
}
