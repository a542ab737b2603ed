import MoaiFlow

extension StateOperation {
  /// The operation in a few words, for a line of a table.
  var summary: String {
    switch self {
    case .increment(let amount): amount < 0 ? "\(amount)" : "+\(amount)"
    case .share(let share): "share = \(share)"
    case .add(let element): "add \(JSONWriter.text(element, style: .spaced))"
    case .remove(let element): "remove \(JSONWriter.text(element, style: .spaced))"
    case .put(let field, let value):
      "\(JSONWriter.text(.string(field))): \(JSONWriter.text(value, style: .spaced))"
    case .removeField(let field): "remove \(JSONWriter.text(.string(field)))"
    case .assign(let value): "= \(JSONWriter.text(value, style: .spaced))"
    }
  }
}

extension StateChange.Content {
  var summary: String {
    switch self {
    case .deleted: "deleted"
    case .value(let value): "= \(JSONWriter.text(value, style: .spaced))"
    case .operations(let operations): operations.map(\.summary).joined(separator: ", ")
    }
  }
}
