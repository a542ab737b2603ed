import Foundation
import MoaiCRDT
import MoaiFlow

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

  func with(value: Double) -> BenchRow {
    BenchRow(workload, what, unit, value, target: target)
  }
}

extension BenchRow {
  var json: StateValue {
    let figure: StateValue = value.rounded() == value && abs(value) < 1e15 ? .int(Int64(value)) : .double(value)
    return [
      "workload": .string(UTF8String(workload)), "what": .string(UTF8String(what)), "unit": .string(UTF8String(unit)),
      "value": figure, "target": .string(UTF8String(target)),
    ]
  }

  var columns: [String] { [workload, figure, unit, target, what] }

  /// Three significant digits, or all before the point.
  private var figure: String {
    switch abs(value) {
    case 100...: value.formatted(.number.precision(.fractionLength(0)))
    case 10...: value.formatted(.number.precision(.fractionLength(1)))
    default: value.formatted(.number.precision(.fractionLength(2)))
    }
  }
}

/// A benchmark whose work came out wrong: its figures are worth nothing.
struct BenchFailure: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }

  /// Compares what a workload came to with what it must come to.
  static func check<Result: Equatable>(_ found: Result, is expected: Result, _ what: String) throws(BenchFailure) {
    guard found == expected else { throw BenchFailure(reason: "\(what): \(found), expected \(expected)") }
  }
}
