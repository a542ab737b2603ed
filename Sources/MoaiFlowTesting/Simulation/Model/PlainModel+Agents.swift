import MoaiFlow

/// What the plain model keeps of an agent that is registered.
struct PlainAgent: Equatable {
  /// The entry that registered it last.
  var incarnation: Revision
  var profile: AgentProfile.Change
  var hasFailed = false
}

extension PlainModel {
  /// §7.1, §7.4: who is registered, and who was declared failed, by the last entry that says so.
  mutating func decide(_ command: AgentCommand) -> PlainVerdict {
    let agent = command.agent
    switch command {
    case .register(_, let change):
      let old = members[agent]
      members[agent] = PlainAgent(incarnation: revision, profile: (old?.profile ?? .init()).overlaid(by: change))
      return .agent(.registered(incarnation: revision, isNew: old == nil))
    case .unregister:
      return members.removeValue(forKey: agent) == nil ? .refused(.agent) : .agent(.unregistered)
    case .fail(_, let incarnation, _):
      guard let known = members[agent], known.incarnation == incarnation, !known.hasFailed else {
        return .agent(.unchanged)
      }
      members[agent]?.hasFailed = true
      return .agent(.failed)
    case .recover(_, let incarnation):
      guard let known = members[agent], known.incarnation == incarnation, known.hasFailed else {
        return .agent(.unchanged)
      }
      members[agent]?.hasFailed = false
      return .agent(.recovered)
    }
  }
}

extension AgentProfile.Change {
  /// Keeps what the other one does not give.
  fileprivate func overlaid(by other: AgentProfile.Change) -> AgentProfile.Change {
    AgentProfile.Change(
      capabilities: other.capabilities ?? capabilities, weight: other.weight ?? weight,
      capacity: other.capacity ?? capacity, heartbeatInterval: other.heartbeatInterval ?? heartbeatInterval,
      publicKey: other.publicKey ?? publicKey, metadata: other.metadata ?? metadata)
  }
}
