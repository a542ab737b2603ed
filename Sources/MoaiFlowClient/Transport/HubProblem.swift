import MoaiCRDT
import MoaiFlow

/// A problem document as the error that an embedded swarm would throw.
struct HubProblem: Error, Sendable {
  let error: SwarmError
  /// Whether the same request may succeed later.
  let isPassing: Bool
  let retryAfter: Duration?
  /// What was asked for is not there, and that is the answer.
  let isAbsence: Bool

  private static let passing: Set<String> = [
    "busy", "shutting_down", "not_ready", "outcome_unknown", "rate_limited", "engine_failed",
  ]

  init(status: Int, _ fields: WireObject, retryAfter: Duration?) {
    let code = fields.optional("code")?.stringValue ?? ""
    isPassing = HubProblem.passing.contains(code)
    self.retryAfter = retryAfter
    isAbsence =
      ["unknown_key", "unknown_token", "unknown_agent"].contains(code)
      || code == "unknown_replica" && fields.optional("replica") == nil
    error = HubProblem.error(status: status, code: code, fields)
  }

  private static func error(status: Int, code: String, _ fields: WireObject) -> SwarmError {
    let detail = fields.optional("detail")?.stringValue ?? "the hub answered \(status)"
    switch code {
    case "invalid", "malformed", "unsupported_media_type", "too_large":
      let field = fields.optional("field")?.stringValue ?? ""
      let prefix = field + ": "
      return .invalid(field: field, detail.hasPrefix(prefix) ? String(detail.dropFirst(prefix.count)) : detail)
    case "unauthorized", "forbidden", "not_yours", "wrong_host", "wrong_origin": return .denied(detail)
    case "unknown_swarm":
      return .engine(.noSuchSwarm((try? SwarmName(HubProblem.quoted(in: detail))) ?? .default))
    case "disk_full": return .engine(.full(detail))
    case "busy", "rate_limited", "not_ready": return .busy
    case "shutting_down": return .closed
    case "outcome_unknown": return .outcomeUnknown(detail)
    case "memory_full": return .memoryFull(detail)
    case "not_reached", "future_revision":
      guard let revision = try? fields.integer("revision"), let head = try? fields.integer("head") else { break }
      return code == "not_reached"
        ? .notReached(revision, head: head) : .futureRevision(revision, head: head)
    case "quorum_not_reached":
      guard let report = try? SyncReport(answer: fields.object("report")) else { break }
      return .quorumNotReached(report)
    case "trimmed" where fields.optional("state_key") == nil: return .trimmed(detail)
    default: break
    }
    if let refusal = try? Refusal(answer: fields) { return .refused(refusal) }
    return .engine(.failed(detail))
  }

  private static func quoted(in text: String) -> String {
    text.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map(String.init) ?? ""
  }
}
