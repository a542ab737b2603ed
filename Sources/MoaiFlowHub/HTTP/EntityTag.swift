import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// A key's tag: the cursor of the entry that last changed it, quoted. It changes when the key does, and never returns.
enum EntityTag {
  static func text(_ revision: Revision, _ epoch: Epoch) -> String {
    "\"\(Cursor(epoch: epoch, revision: revision))\""
  }

  /// Whether a reader that has one of these tags, or any with `*`, has what is there.
  static func matches(_ field: String, _ tag: String) -> Bool {
    field.split(separator: ",").contains { given in
      let text = given.filter { $0 != " " }
      return text == "*" || text == tag || text == "W/" + tag
    }
  }

  /// What a write's headers demand: `If-Match: "cursor"`, or `If-None-Match: *`.
  static func condition(_ headers: HTTPFields) throws(Problem) -> RevisionReference? {
    var condition: RevisionReference?
    if let field = headers[.ifMatch] {
      guard field.count > 2, field.first == "\"", field.last == "\"",
        let cursor = Cursor(String(field.dropFirst().dropLast()))
      else {
        throw Problem(
          .badRequest, "malformed", "If-Match takes one entity tag of this hub, as a read's ETag gives it",
          field: "/If-Match")
      }
      condition = .cursor(cursor)
    }
    if let field = headers[.ifNoneMatch] {
      guard field == "*" else {
        throw Problem(
          .badRequest, "malformed", "If-None-Match takes * where something is written", field: "/If-None-Match")
      }
      guard condition == nil else {
        throw Problem(.badRequest, "malformed", "If-Match and If-None-Match contradict each other")
      }
      condition = .revision(0)
    }
    return condition
  }

  /// Both conditions of a write as one: they must agree where both are given.
  static func condition(_ headers: HTTPFields, and given: RevisionReference?) throws(Problem) -> RevisionReference? {
    guard let header = try condition(headers) else { return given }
    guard given == nil || given == header else {
      throw Problem(
        .badRequest, "malformed", "if_revision and the header name different revisions", field: "/if_revision")
    }
    return header
  }
}
