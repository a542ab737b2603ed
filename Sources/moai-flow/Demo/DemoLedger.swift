import MoaiCRDT
import MoaiFlow
import Synchronization

/// What the agents know they wrote, against what the swarm says: the demo's verdict.
final class DemoLedger: Sendable {
  private struct Check: Sendable {
    let label: String
    let found: String
    let expected: String
    let isRight: Bool
  }

  private let checks = Mutex<[Check]>([])

  /// Compares a value with what it must be.
  func check(_ label: String, _ found: StateValue?, equals expected: StateValue) {
    add(label, found: DemoLedger.short(found), expected: DemoLedger.short(expected), isRight: found == expected)
  }

  func check(_ label: String, _ found: Int, equals expected: Int) {
    add(label, found: found.grouped, expected: expected.grouped, isRight: found == expected)
  }

  func check(_ label: String, _ found: Int, isAtLeast least: Int) {
    add(label, found: found.grouped, expected: "at least \(least.grouped)", isRight: found >= least)
  }

  func check(_ label: String, isTrue: Bool, _ found: String) {
    add(label, found: found, expected: "otherwise", isRight: isTrue)
  }

  /// Shows every check and returns whether all are right.
  func report(on stage: DemoStage, after duration: Duration) -> Bool {
    stage.scene("Checked")
    let all = checks.withLock { $0 }
    for check in all {
      stage.check(check.label, check.found, isRight: check.isRight, expected: check.expected)
    }
    let wrong = all.count { !$0.isRight }
    let seconds = "\((duration.seconds * 10).rounded() / 10) s"
    stage.verdict(
      wrong == 0
        ? "All \(all.count) checks hold: every acknowledged write is there. (\(seconds))"
        : "\(wrong) of \(all.count) checks are off.", isRight: wrong == 0)
    return wrong == 0
  }

  private func add(_ label: String, found: String, expected: String, isRight: Bool) {
    checks.withLock { $0.append(Check(label: label, found: found, expected: expected, isRight: isRight)) }
  }

  /// A value for one table cell.
  static func short(_ value: StateValue?) -> String {
    guard let value else { return "absent" }
    if case .int(let number) = value { return number.grouped }
    let text = JSONWriter.text(value)
    return text.count > 22 ? text.prefix(21) + "…" : text
  }
}

extension BinaryInteger {
  /// Decimal digits with a comma between thousands.
  var grouped: String {
    let digits = String(magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return self < 0 ? "-" + text : text
  }
}
