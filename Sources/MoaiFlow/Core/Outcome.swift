import MoaiCRDT

/// What became of a command. A caller gets it when its entry is durable and applied.
public struct Outcome: Sendable, Hashable {
  /// The revision of the entry; 0 for a refusal that needed no entry because it can never become acceptance again.
  public let revision: Revision
  /// Whether this is the first outcome, answered again to a repeated command id.
  public internal(set) var isRepeat: Bool
  public let result: Result

  public enum Result: Sendable, Hashable {
    case state(StateOutcome)
    case settings
    case journal
    case replica(ReplicaOutcome)
    case agent(AgentOutcome)
    case refused(Refusal)

    var isReplicaRefusal: Bool { if case .refused(.replica) = self { true } else { false } }
  }

  init(revision: Revision, isRepeat: Bool = false, result: Result) {
    self.revision = revision
    self.isRepeat = isRepeat
    self.result = result
  }
}

/// Why a command changed nothing.
@nonexhaustive
public enum Refusal: Error, Sendable, Hashable {
  case state(StateRefusal)
  case settings(SettingsRefusal)
  case journal(JournalRefusal)
  case replica(ReplicaRefusal)
  case agent(AgentRefusal)
  /// The command id was used before for another request.
  case idempotencyMismatch
}

extension Refusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .state(let refusal): refusal.description
    case .settings(let refusal): refusal.description
    case .journal(let refusal): refusal.description
    case .replica(let refusal): refusal.description
    case .agent(let refusal): refusal.description
    case .idempotencyMismatch: "this command id was used before for another request; take a new id"
    }
  }
}

extension Outcome {
  func encode(into writer: inout ByteWriter) {
    writer.signed(revision)
    switch result {
    case .state(let outcome):
      writer.byte(1)
      outcome.encode(into: &writer)
    case .settings: writer.byte(2)
    case .refused(.state(let refusal)):
      writer.byte(3)
      refusal.encode(into: &writer)
    case .refused(.settings(let refusal)):
      writer.byte(4)
      refusal.encode(into: &writer)
    case .refused(.idempotencyMismatch): writer.byte(5)
    case .journal: writer.byte(6)
    case .refused(.journal(let refusal)):
      writer.byte(7)
      refusal.encode(into: &writer)
    case .replica(let outcome):
      writer.byte(8)
      outcome.encode(into: &writer)
    case .refused(.replica(let refusal)):
      writer.byte(9)
      refusal.encode(into: &writer)
    case .agent(let outcome):
      writer.byte(10)
      outcome.encode(into: &writer)
    case .refused(.agent(let refusal)):
      writer.byte(11)
      refusal.encode(into: &writer)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    revision = try reader.signed("outcome.revision")
    isRepeat = false
    switch try reader.byte("outcome") {
    case 1: result = .state(try StateOutcome(from: &reader))
    case 2: result = .settings
    case 3: result = .refused(.state(try StateRefusal(from: &reader)))
    case 4: result = .refused(.settings(try SettingsRefusal(from: &reader)))
    case 5: result = .refused(.idempotencyMismatch)
    case 6: result = .journal
    case 7: result = .refused(.journal(try JournalRefusal(from: &reader)))
    case 8: result = .replica(try ReplicaOutcome(from: &reader))
    case 9: result = .refused(.replica(try ReplicaRefusal(from: &reader)))
    case 10: result = .agent(try AgentOutcome(from: &reader))
    case 11: result = .refused(.agent(try AgentRefusal(from: &reader)))
    case let tag: throw reader.failure(.malformed("\(tag) is no outcome"), "outcome")
    }
  }
}
