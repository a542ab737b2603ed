import MoaiCRDT

extension SyncReport {
  package init(answer fields: WireObject) throws(WireError) {
    var responders: [AgentID] = []
    for (value, place) in try fields.elements("responders") ?? [] {
      do { responders.append(try AgentID(try WireObject.text(value, place).string)) } catch {
        throw WireError(place, "is no agent")
      }
    }
    let missing = try fields.list("missing") { fields throws(WireError) in
      let agent = try fields.agent()
      return (agent, try MissingReason(answer: fields, of: agent))
    }
    self.init(
      key: try fields.key(), asked: try fields.count("asked"), quorum: try fields.count("quorum"),
      responders: responders, missing: Dictionary(missing, uniquingKeysWith: { $1 }),
      conflicts: try fields.list("conflicts") { fields throws(WireError) in try Contribution(answer: fields) },
      contributions: try fields.list("contributions") { fields throws(WireError) in try Contribution(answer: fields) },
      discarded: try fields.list("discarded") { fields throws(WireError) in try Overwritten(answer: fields) },
      result: try fields.optionalObject("result").map { fields throws(WireError) in try StateReading(answer: fields) },
      revision: try fields.integer("revision"), duration: .milliseconds(try fields.integer("duration_ms")))
  }
}

extension MissingReason {
  fileprivate init(answer fields: WireObject, of agent: AgentID) throws(WireError) {
    let reason = try fields.text("reason").string
    let known: [MissingReason] = [.deadline, .unreachable(.unknownAgent(agent))]
    self = known.first { $0.description == reason } ?? .declined(reason)
  }
}

extension SyncReport.Contribution {
  fileprivate init(answer fields: WireObject) throws(WireError) {
    let content: SyncResponse.Content
    if let operations = fields.object["ops"] {
      content = .operations(try StateOperation.list(json: operations, at: fields.place.appending("ops")))
    } else if let value = fields.object["value"] {
      content = .value(value)
    } else {
      content = .nothing
    }
    let fate: Fate
    switch try fields.text("fate").string {
    case "merged": fate = .merged(try fields.integer("revision"))
    case "already_there": fate = .alreadyThere
    case "without_base": fate = .withoutBase
    default: fate = .refused(try fields.text("reason").string)
    }
    self.init(agent: try fields.agent(), content: content, fate: fate)
  }
}
