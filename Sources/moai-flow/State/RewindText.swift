import MoaiCRDT
import MoaiFlow

/// What a rewind did, or would do, in words.
struct RewindText {
  private let report: RewindReport
  private let request: RewindRequest
  private let isDryRun: Bool
  /// Keys, parts of a key, and agents with dependents on a key, that are told one by one.
  private static let keyLimit = 20
  private static let partLimit = 8
  private static let groupLimit = 10

  init(_ report: RewindReport, of request: RewindRequest, isDryRun: Bool) {
    self.report = report
    self.request = request
    self.isDryRun = isDryRun
  }

  func lines(width: Int) -> [String] {
    var text = Paragraphs(width: width)
    if report.isEmpty, let revision = report.revision {
      text.add("It was done before, at revision \(revision).")
      return text.lines
    }
    if report.isEmpty { return [] }
    addChanges(to: &text)
    addUnchanged(to: &text)
    addDependents(to: &text)
    addBlocked(to: &text)
    text.add("")
    if let revision = report.revision {
      text.add("Written as revision \(revision); 'state rewind --revision \(revision)' undoes it.")
    } else if isDryRun {
      text.add("Nothing was written: this was a dry run.")
    }
    return text.lines
  }

  private func addChanges(to text: inout Paragraphs) {
    let verb = report.revision == nil ? "Would take back" : "Took back"
    let entries = RewindText.count(report.entries, "entry", "entries")
    let what =
      switch request.target {
      case .agent(let agent, _): "\(entries) of \(agent)"
      case .revision: "what the entry did"
      }
    let keys = RewindText.count(report.changes.count, "key changes", "keys change")
    text.add("\(verb) \(what); \(keys)\(report.changes.isEmpty ? "." : ":")")
    for change in report.changes.prefix(RewindText.keyLimit) {
      text.add("")
      text.add("\(Terminal.bold(change.key.description)), a \(change.type.rawValue)", indentation: 2)
      let parts = change.words
      for part in parts.prefix(RewindText.partLimit) { text.add(part, indentation: 4) }
      addRest(parts.count - RewindText.partLimit, indentation: 4, to: &text)
    }
    addRest(report.changes.count - RewindText.keyLimit, indentation: 2, to: &text)
  }

  private func addUnchanged(to text: inout Paragraphs) {
    guard !report.unchanged.isEmpty else { return }
    text.add("")
    text.add("No longer visible, because others have overwritten or removed it since:")
    for key in report.unchanged.prefix(RewindText.keyLimit) { text.add(key.description, indentation: 2) }
    addRest(report.unchanged.count - RewindText.keyLimit, indentation: 2, to: &text)
  }

  private func addDependents(to text: inout Paragraphs) {
    guard report.dependentCount > 0 else { return }
    text.add("")
    text.add(
      "Kept, though made after reading it (\(RewindText.count(report.dependentCount, "write", "writes"))):")
    var order: [[String]] = []
    var groups: [[String]: [Revision]] = [:]
    for write in report.dependents {
      let group = [write.key.description, write.agent.description]
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(write.revision)
    }
    var told = 0
    for group in order.prefix(RewindText.groupLimit) {
      let revisions = groups[group] ?? []
      told += revisions.count
      let first = revisions.first ?? 0
      let when = revisions.count == 1 ? "revision \(first)" : "revisions \(first) to \(revisions.last ?? first)"
      text.add("\(group[0]): \(revisions.count) by \(group[1]), \(when)", indentation: 2, isDim: true)
    }
    addRest(report.dependentCount - told, indentation: 2, to: &text)
  }

  private func addBlocked(to text: inout Paragraphs) {
    guard !report.blocked.isEmpty else { return }
    text.add("")
    text.add("Cannot be rewound:")
    for key in report.blocked.prefix(RewindText.keyLimit) {
      text.add("\(Terminal.bold(key.key.description)): \(key.obstacle)", indentation: 2)
    }
    addRest(report.blocked.count - RewindText.keyLimit, indentation: 2, to: &text)
  }

  private func addRest(_ count: Int, indentation: Int, to text: inout Paragraphs) {
    if count > 0 { text.add("… and \(count.grouped) more", indentation: indentation, isDim: true) }
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    number == 1 ? "1 \(one)" : "\(number == 0 ? "no" : number.grouped) \(many)"
  }
}

extension RewindReport.Change {
  /// A line for each part that changes.
  fileprivate var words: [String] {
    switch content {
    case .deleted: ["goes; it was \(short(before))"]
    case .value: [before == nil ? "comes back: \(short(after))" : "\(short(before)) → \(short(after))"]
    case .operations(let operations):
      switch type {
      case .counter, .register: ["\(short(before)) → \(short(after))"]
      case .set: elements(operations)
      case .map: operations.map(words)
      }
    }
  }

  /// The elements of a set on two lines.
  private func elements(_ operations: [StateOperation]) -> [String] {
    var back: [String] = []
    var gone: [String] = []
    for operation in operations {
      if case .add(let element) = operation { back.append(short(element)) }
      if case .remove(let element) = operation { gone.append(short(element)) }
    }
    return [("comes back", back), ("goes", gone)].filter { !$0.1.isEmpty }.map { word, elements in
      let left = elements.count - Self.elementLimit
      let list = elements.prefix(Self.elementLimit).joined(separator: ", ")
      return "\(list)\(left > 0 ? " and \(left.grouped) more" : "") \(elements.count == 1 ? word : word.plural)"
    }
  }

  private static let elementLimit = 12

  private func words(_ operation: StateOperation) -> String {
    switch operation {
    case .put(let field, let value):
      if let old = before?[field.string] {
        "\(short(.string(field))): \(short(old)) → \(short(value))"
      } else {
        "\(short(.string(field))): \(short(value)) comes back"
      }
    case .removeField(let field): "\(short(.string(field))): \(short(before?[field.string])) goes"
    case .increment, .share, .assign, .add, .remove: operation.summary
    }
  }

  private func short(_ value: StateValue?) -> String {
    guard let value else { return "nothing" }
    let text = JSONWriter.text(value, style: .spaced)
    return text.count > 56 ? text.prefix(55) + "…" : text
  }
}

extension String {
  /// "come back" of "comes back".
  fileprivate var plural: String { self == "goes" ? "go" : "come back" }
}
