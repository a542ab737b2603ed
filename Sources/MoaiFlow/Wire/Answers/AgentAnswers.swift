import MoaiCRDT

extension AgentStatus {
  package init(answer fields: WireObject) throws(WireError) {
    var failure: AgentFailure?
    if fields.optional("failed_at") != nil {
      failure = AgentFailure(
        revision: try fields.integer("failed_revision"), time: try fields.instant("failed_at"),
        lastSign: try fields.optionalInstant("last_sign"))
    }
    let level: Double
    switch fields.optional("suspicion") {
    case .double(let number): level = number
    case .int(let number): level = Double(number)
    default: level = 0
    }
    self.init(
      agent: try fields.agent(), incarnation: try fields.integer("incarnation"),
      revision: try fields.integer("revision"),
      profile: AgentProfile().changed(by: try AgentProfile.Change(fields: fields)),
      registeredAt: try fields.instant("registered_at"), failure: failure,
      standing: AgentStanding(
        health: try fields.choice(required: "health", of: AgentHealth.self), isStuck: try fields.flag("stuck"),
        level: level, silence: try fields.optionalInteger("silence_ms"), heartbeat: try Heartbeat(fields: fields)),
      lastSeen: try fields.optionalInstant("last_seen"))
  }
}

extension AgentPage {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      agents: try fields.list("agents") { fields throws(WireError) in try AgentStatus(answer: fields) },
      next: try fields.optionalAgent("next"), revision: try fields.integer("revision"))
  }
}

extension AgentEvent {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      kind: try fields.choice(required: "change", of: Kind.self), agent: try fields.agent(),
      incarnation: try fields.integer("incarnation"))
  }
}

extension HealthReport {
  package init(answer fields: WireObject) throws(WireError) {
    self.init(
      agent: try fields.agent(), incarnation: try fields.integer("incarnation"),
      health: try fields.choice(required: "health", of: AgentHealth.self), isStuck: try fields.flag("stuck"),
      silence: try fields.integer("silence_ms"))
  }
}

extension WireObject {
  fileprivate func optionalInstant(_ name: String) throws(WireError) -> Int64? {
    optional(name) == nil ? nil : try instant(name)
  }
}

extension AgentOutcome {
  /// As ``json`` writes it.
  package init(answer fields: WireObject) throws(WireError) {
    if fields.optional("registered") != nil {
      self = .registered(incarnation: try fields.integer("registered"), isNew: try fields.flag("new"))
    } else if try fields.flag("unregistered") {
      self = .unregistered
    } else if try fields.flag("failed") {
      self = .failed
    } else if try fields.flag("recovered") {
      self = .recovered
    } else {
      self = .unchanged
    }
  }
}
