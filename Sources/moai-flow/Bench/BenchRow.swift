/// One measured figure.
struct BenchRow {
  let workload: String
  let what: String
  let unit: String
  let value: Double
  let target: String

  init(_ workload: String, _ what: String, _ unit: String, _ value: Double, target: String = "") {
    self.workload = workload
    self.what = what
    self.unit = unit
    self.value = value
    self.target = target
  }
}

/// A benchmark whose work came out wrong: its figures are worth nothing.
struct BenchFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}

extension Duration {
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
