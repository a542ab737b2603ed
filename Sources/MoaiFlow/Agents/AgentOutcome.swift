public import MoaiCRDT

/// The answer to a command about agents that was applied.
public enum AgentOutcome: Sendable, Hashable {
  /// `isNew`: it was no member before.
  case registered(incarnation: Revision, isNew: Bool)
  case unregistered
  case failed
  case recovered
  /// A newer incarnation exists, the agent has left, or it was as the command says already (rule §7.4).
  case unchanged
}

/// Why a command about agents changed nothing.
@nonexhaustive
public enum AgentRefusal: Error, Sendable, Hashable {
  /// No such agent is registered.
  case unknown(AgentID)
  /// So many agents are registered that no more are taken.
  case tooMany(limit: Int)
}

extension AgentRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown(let agent): "agent \(agent) is not registered; PUT agents/\(agent) registers it"
    case .tooMany(let limit): "\(limit) agents are registered; unregister some that have gone"
    }
  }

  var code: String {
    switch self {
    case .unknown: "unknown_agent"
    case .tooMany: "too_many_agents"
    }
  }
}

// MARK: - Binary form

extension AgentOutcome {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .registered(let incarnation, let isNew):
      writer.byte(1)
      writer.varint(UInt64(incarnation))
      writer.bool(isNew)
    case .unregistered: writer.byte(2)
    case .failed: writer.byte(3)
    case .recovered: writer.byte(4)
    case .unchanged: writer.byte(5)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("outcome.agent") {
    case 1:
      let incarnation = try reader.revision("outcome.incarnation")
      self = .registered(incarnation: incarnation, isNew: try reader.bool("outcome.new"))
    case 2: self = .unregistered
    case 3: self = .failed
    case 4: self = .recovered
    case 5: self = .unchanged
    case let tag: throw reader.failure(.malformed("\(tag) is no outcome"), "outcome.agent")
    }
  }
}

extension AgentRefusal {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .unknown(let agent):
      writer.byte(1)
      writer.string(agent.name.string)
    case .tooMany(let limit):
      writer.byte(2)
      writer.count(limit)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("refusal.agent") {
    case 1: self = .unknown(try reader.member("refusal.agent"))
    case 2: self = .tooMany(limit: Int(clamping: try reader.varint("refusal.limit")))
    case let tag: throw reader.failure(.malformed("\(tag) is no refusal"), "refusal.agent")
    }
  }
}
