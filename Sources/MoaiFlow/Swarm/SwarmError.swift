/// What a caller of a swarm has to handle.
@nonexhaustive
public enum SwarmError: Error, Sendable, Hashable {
  /// The command was understood and changed nothing; the refusal says why.
  case refused(Refusal)
  /// A field of the request breaks a rule; nothing was sent. `field` is a JSON Pointer into the request.
  case invalid(field: String, String)
  /// A revision greater than the journal's head was named.
  case futureRevision(Revision, head: Revision)
  /// The swarm did not come to this revision in the time that the reader waits; it stands at `head`.
  case notReached(Revision, head: Revision)
  /// A base, an `at` or a token from before the horizon or of another epoch.
  case trimmed(String)
  /// The swarm has as many commands under way, or readers waiting, as it accepts; try again when some are answered.
  case busy
  /// A volatile memory entry does not fit; the text says what is full.
  case memoryFull(String)
  /// The command may or may not have taken effect; repeating it under the same id is safe.
  case outcomeUnknown(String)
  /// The swarm was stopped because its journal cannot be trusted from this revision on.
  case corrupt(revision: Revision, String)
  case engine(JournalError)
  /// The swarm was closed.
  case closed
  /// The hub does not let this caller do that; the text says why.
  case denied(String)
  /// The hub cannot be reached; nothing was sent.
  case unreachable(String)
  /// Too few agents answered a full sync; nothing changed. The report says who did not answer and why.
  case quorumNotReached(SyncReport)
}

extension SwarmError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(let refusal): refusal.description
    case .invalid(let field, let problem): "\(field): \(problem)"
    case .futureRevision(let revision, let head): "revision \(revision) is in the future; the head is \(head)"
    case .notReached(let revision, let head):
      "revision \(revision) was not reached in time; the swarm is at revision \(head)"
    case .trimmed(let what): what
    case .memoryFull(let what): "\(what); delete some, or store persistently"
    case .busy: "too many commands or readers under way; try again"
    case .outcomeUnknown(let what): "the outcome is unknown (\(what)); repeating under the same id is safe"
    case .corrupt(let revision, let how): "the swarm stopped at revision \(revision): \(how)"
    case .engine(let error): error.description
    case .closed: "the swarm is closed"
    case .denied(let why), .unreachable(let why): why
    case .quorumNotReached(let report):
      "quorum not reached: \(report.responders.count) of \(report.asked) answered, \(report.quorum) needed"
    }
  }
}
