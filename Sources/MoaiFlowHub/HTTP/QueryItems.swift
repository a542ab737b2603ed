import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// The query of a request, read item by item. An item that the route does not know is refused, and one that stands twice.
struct QueryItems: Sendable {
  private var items: [String: String] = [:]

  init() {}

  init(_ query: String?, allowing names: Set<String>) throws(Problem) {
    guard let query, !query.isEmpty else { return }
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
        let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
      else { throw Problem(.badRequest, "malformed", "the query is not percent-encoded UTF-8") }
      guard names.contains(name) else { throw .invalid("/\(name)", "there is no such query parameter here") }
      guard items.updateValue(value, forKey: name) == nil else { throw .invalid("/\(name)", "it stands twice") }
    }
  }

  subscript(name: String) -> String? { items[name] }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
    guard let text = items[name] else { return nil }
    guard let number = Int(text) else { throw .invalid("/\(name)", "must be an integer") }
    guard range.contains(number) else {
      throw .invalid("/\(name)", "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// How many a list may have: 100, at most 1,000; more is taken as the maximum.
  func limit() throws(Problem) -> Int {
    if let text = items["limit"], text.utf8.count > 18, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) { return 1_000 }
    return min(try integer("limit", in: 1...Int.max) ?? 100, 1_000)
  }

  func flag(_ name: String) throws(Problem) -> Bool? {
    switch items[name] {
    case nil: return nil
    case "true": return true
    case "false": return false
    default: throw .invalid("/\(name)", "must be true or false")
    }
  }

  /// A cursor, or a plain number of the present epoch.
  func reference(_ name: String) throws(Problem) -> RevisionReference? {
    guard let text = items[name] else { return nil }
    guard let reference = RevisionReference(text) else { throw .invalid("/\(name)", "must be a cursor or a revision") }
    return reference
  }

  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, of: Choice.Type
  ) throws(Problem) -> Choice? {
    guard let text = items[name] else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw .invalid("/\(name)", "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  func name<Name>(_ name: String, _ check: (String) throws(NameError) -> Name) throws(Problem) -> Name? {
    guard let text = items[name] else { return nil }
    do { return try check(text) } catch { throw .invalid("/\(name)", error.problem) }
  }
}
