import HTTPTypes
import MoaiCRDT
import MoaiFlow

/// Why a request has no other answer (RFC 9457).
struct Problem: Error, Sendable {
  let status: HTTPResponse.Status
  /// A word from a closed list, ``codes``, for programs.
  let code: String
  let detail: String
  /// A JSON Pointer to the field that is to blame.
  var field: String?
  /// Further members of the document.
  var members: [(name: UTF8String, value: StateValue)] = []
  /// Seconds after which trying again may help.
  var retryAfter: Int?
  /// The methods that the path has, for 405.
  var allow: [HTTPRequest.Method] = []
  /// How to say who one is, for 401.
  var challenge: String?
  /// The sender's connection ends with this answer.
  var closesConnection = false

  init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, field: String? = nil) {
    assert(Problem.codes.contains(code), "\(code) is not in the list of codes")
    self.status = status
    self.code = code
    self.detail = detail
    self.field = field
  }

  /// `{type, title, status, detail, code, field?, …}`.
  var json: StateValue {
    var fields = WireFields()
    fields.add("type", "about:blank")
    fields.add("title", text: status.reasonPhrase)
    fields.add("status", integer: status.code)
    fields.add("detail", text: detail)
    fields.add("code", text: code)
    fields.add("field", field.map { .string(UTF8String($0)) })
    for member in members { fields.add(member.name, member.value) }
    return fields.json
  }

  static func invalid(_ field: String, _ problem: String) -> Problem {
    Problem(.unprocessableContent, "invalid", "\(field): \(problem)", field: field)
  }
}

extension Problem {
  init(_ error: WireError) {
    let isRoot = error.field.isRoot
    self.init(
      .unprocessableContent, "invalid", "\(error)", field: isRoot ? nil : error.field.text)
  }

  init(_ error: JSONError) {
    self.init(.badRequest, "malformed", "the body is no JSON: \(error.detail)", field: nil)
    if !error.pointer.isRoot { field = error.pointer.text }
    members = [("line", .int(Int64(error.line))), ("column", .int(Int64(error.column)))]
  }

  init(_ error: SwarmError) {
    switch error {
    case .refused(let refusal): self.init(refusal)
    case .invalid(let field, let problem): self = .invalid(field, problem)
    case .futureRevision(let revision, let head):
      self.init(.badRequest, "future_revision", error.description)
      members = [("revision", .int(revision)), ("head", .int(head))]
    case .notReached(let revision, let head):
      self.init(.serviceUnavailable, "not_reached", error.description)
      members = [("revision", .int(revision)), ("head", .int(head))]
      retryAfter = 1
    case .trimmed: self.init(.gone, "trimmed", error.description)
    case .memoryFull: self.init(.conflict, "memory_full", error.description)
    case .busy:
      self.init(.serviceUnavailable, "busy", error.description)
      retryAfter = 1
    case .outcomeUnknown:
      self.init(.serviceUnavailable, "outcome_unknown", error.description)
      retryAfter = 1
    case .corrupt: self.init(.internalServerError, "corrupt", error.description)
    case .engine(let error): self.init(error)
    case .closed:
      self.init(.serviceUnavailable, "shutting_down", error.description)
      retryAfter = 1
    case .denied: self.init(.forbidden, "forbidden", error.description)
    case .unreachable:
      self.init(.serviceUnavailable, "engine_failed", error.description)
      retryAfter = 5
    case .quorumNotReached(let report):
      self.init(.gatewayTimeout, "quorum_not_reached", error.description)
      members = [("report", report.json)]
    }
  }

  init(_ error: JournalError) {
    switch error {
    case .noSuchSwarm(let name):
      self.init(.notFound, "unknown_swarm", "\(error.description); PUT /v1/swarms/\(name) makes it")
    case .alreadyExists: self.init(.conflict, "swarm_exists", error.description)
    case .full:
      self.init(.serviceUnavailable, "disk_full", error.description)
      retryAfter = 5
    default:
      self.init(.serviceUnavailable, "engine_failed", error.description)
      retryAfter = 5
    }
  }

  init(_ refusal: Refusal) {
    self.init(Problem.status(of: refusal), refusal.code, refusal.description)
    if case .object(let object) = refusal.members.json { members = object.fields.map { ($0.name, $0.value) } }
  }

  private static func status(of refusal: Refusal) -> HTTPResponse.Status {
    switch refusal {
    case .state(let refusal):
      switch refusal {
      case .conditionFailed: .preconditionFailed
      case .valueTooLarge: .contentTooLarge
      case .notAllowed: .forbidden
      case .futureBase: .badRequest
      case .baseTrimmed: .gone
      default: .conflict
      }
    case .replica(let refusal):
      switch refusal {
      case .unknown, .notKept: .notFound
      case .notYours: .forbidden
      case .notReservable: .unprocessableContent
      default: .conflict
      }
    case .agent(.unknown): .notFound
    case .agent: .conflict
    case .settings, .idempotencyMismatch: .unprocessableContent
    case .journal: .badRequest
    }
  }
}
