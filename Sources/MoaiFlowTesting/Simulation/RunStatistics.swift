/// What a run was made of, to see that it was about something.
package struct RunStatistics: Sendable, CustomStringConvertible {
  package var entries = 0
  package var refused = 0
  package var repeats = 0
  package var checkpoints = 0
  package var trims = 0
  package var eras = 0
  package var copies = 0
  package var readings = 0
  package var syncs = 0
  package var exchanges = 0

  package init() {}

  private static var fields: [(name: String, path: WritableKeyPath<RunStatistics, Int>)] {
    [
      ("entries", \.entries), ("refused", \.refused), ("repeats", \.repeats), ("checkpoints", \.checkpoints),
      ("trims", \.trims), ("epochs", \.eras), ("copies compared", \.copies), ("readings compared", \.readings),
      ("full syncs", \.syncs), ("offline exchanges", \.exchanges),
    ]
  }

  /// All of them, in a fixed order.
  package var numbers: [Int] { RunStatistics.fields.map { self[keyPath: $0.path] } }

  package init(numbers: [Int]) {
    for (field, number) in zip(RunStatistics.fields, numbers) { self[keyPath: field.path] = number }
  }

  package static func += (left: inout Self, right: Self) {
    for field in fields { left[keyPath: field.path] += right[keyPath: field.path] }
  }

  package var description: String {
    RunStatistics.fields.map { "\(self[keyPath: $0.path]) \($0.name)" }.joined(separator: ", ")
  }
}
