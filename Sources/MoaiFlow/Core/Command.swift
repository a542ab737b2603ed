package import MoaiCRDT

/// What an entry asks for, in the form that applies without history: one case per facet.
///
/// Cases are added with the facets; the tag of a case in the binary form never changes its meaning.
public enum Command: Sendable, Hashable {
  case state(StateCommand)
  case settings(SettingsCommand)
  case journal(JournalCommand)
  case replica(ReplicaCommand)
  case agent(AgentCommand)
}

extension Command {
  package func encode(into writer: inout ByteWriter) {
    switch self {
    case .state(let command):
      writer.byte(1)
      command.encode(into: &writer)
    case .settings(let command):
      writer.byte(2)
      command.encode(into: &writer)
    case .journal(let command):
      writer.byte(3)
      command.encode(into: &writer)
    case .replica(let command):
      writer.byte(4)
      command.encode(into: &writer)
    case .agent(let command):
      writer.byte(5)
      command.encode(into: &writer)
    }
  }

  package init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("command") {
    case 1: self = .state(try StateCommand(from: &reader))
    case 2: self = .settings(try SettingsCommand(from: &reader))
    case 3: self = .journal(try JournalCommand(from: &reader))
    case 4: self = .replica(try ReplicaCommand(from: &reader))
    case 5: self = .agent(try AgentCommand(from: &reader))
    case let tag: throw reader.failure(.malformed("\(tag) is no command"), "command")
    }
  }
}
