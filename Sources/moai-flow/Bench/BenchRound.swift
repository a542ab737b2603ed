import Foundation

/// A workload that can be run again: inputs are made in its initialiser or outside of the timed part.
protocol BenchRound {
  /// Runs the work once, checks what it came to, and reports the same rows each time.
  func measure() throws -> [BenchRow]
}

enum BenchRounds {
  /// Three rounds over all workloads, one after another in each, so that a disturbance of the machine does not meet one
  /// of them alone; the median of each row.
  static func medians(of workloads: [any BenchRound]) throws -> [BenchRow] {
    var rounds: [[BenchRow]] = []
    for _ in 0..<3 { rounds.append(try workloads.flatMap { try $0.measure() }) }
    return rounds[0].indices.map { row in
      rounds[0][row].with(value: rounds.map { $0[row].value }.median)
    }
  }
}

enum BenchTime {
  /// Seconds of processor time that this thread spends in `body`.
  static func ofThread(_ body: () throws -> Void) rethrows -> Double {
    let start = now(CLOCK_THREAD_CPUTIME_ID)
    try body()
    return now(CLOCK_THREAD_CPUTIME_ID) - start
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension Duration {
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}

extension [Double] {
  var median: Double { percentile(50) }

  /// The value that `percent` of 100 do not exceed. Of no values it is 0.
  func percentile(_ percent: Int) -> Double {
    let sorted = sorted()
    return sorted.isEmpty ? 0 : sorted[Swift.min(count - 1, count * percent / 100)]
  }
}
