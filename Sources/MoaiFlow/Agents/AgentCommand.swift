public import MoaiCRDT

/// What may be asked about the agents of a swarm (rules §7.1, §7.4).
public enum AgentCommand: Sendable, Hashable {
  /// Begins an agent's next incarnation. What is not given stays as the last one had it.
  case register(AgentID, AgentProfile.Change)
  /// The agent leaves: it is no member any more.
  case unregister(AgentID)
  /// Declares an incarnation failed. Author: `journal`. `lastSign`: when the hub that declares it last heard of it, in
  /// milliseconds since 1970; nil: never.
  case fail(AgentID, incarnation: Revision, lastSign: Int64?)
  /// A failed incarnation has given a sign of life. Author: `journal`.
  case recover(AgentID, incarnation: Revision)
}

extension AgentCommand {
  public var agent: AgentID {
    switch self {
    case .register(let agent, _), .unregister(let agent), .fail(let agent, _, _), .recover(let agent, _): agent
    }
  }

  func encode(into writer: inout ByteWriter) {
    func head(_ tag: UInt8) {
      writer.byte(tag)
      writer.string(agent.name.string)
    }
    switch self {
    case .register(_, let change):
      head(1)
      change.encode(into: &writer)
    case .unregister: head(2)
    case .fail(_, let incarnation, let lastSign):
      head(3)
      writer.varint(UInt64(incarnation))
      writer.optional(lastSign)
    case .recover(_, let incarnation):
      head(4)
      writer.varint(UInt64(incarnation))
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let tag = try reader.byte("agent")
    let agent = try reader.member("agent.name")
    switch tag {
    case 1: self = .register(agent, try AgentProfile.Change(from: &reader))
    case 2: self = .unregister(agent)
    case 3:
      let incarnation = try reader.revision("agent.incarnation")
      self = .fail(agent, incarnation: incarnation, lastSign: try reader.optionalSigned("agent.last_sign"))
    case 4: self = .recover(agent, incarnation: try reader.revision("agent.incarnation"))
    default: throw reader.failure(.malformed("\(tag) is no agent command"), "agent")
    }
  }
}

extension ByteReader {
  /// The name of an agent, none of those that the system writes as.
  mutating func member(_ field: String) throws(DecodingFailure) -> AgentID {
    let text = try string(field, limit: 128)
    do { return try AgentID(text) } catch { throw failure(.malformed(error.problem), field) }
  }
}
