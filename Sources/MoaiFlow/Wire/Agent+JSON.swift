package import MoaiCRDT

extension AgentStatus {
  /// `{agent_id, incarnation, revision, health, stuck, suspicion, last_seen, registered_at, failed_at?, capabilities, weight,
  /// capacity, heartbeat_interval_ms, public_key?, metadata, leases, progress?, status?, busy_for_ms?}`.
  public var json: StateValue {
    var fields = profile.fields
    fields.add("agent_id", .string(agent.name))
    fields.add("incarnation", integer: incarnation)
    fields.add("revision", integer: revision)
    fields.add("health", text: standing.health.rawValue)
    fields.add("stuck", .bool(standing.isStuck))
    fields.add("suspicion", .double((min(standing.level, 1_000) * 100).rounded() / 100))
    fields.add("last_seen", lastSeen.map { StateValue(Timestamp(milliseconds: $0).rfc3339) } ?? .null)
    fields.add("registered_at", text: Timestamp(milliseconds: registeredAt).rfc3339)
    if let failure {
      fields.add("failed_at", text: Timestamp(milliseconds: failure.time).rfc3339)
      fields.add("failed_revision", integer: failure.revision)
      fields.add("last_sign", failure.lastSign.map { StateValue(Timestamp(milliseconds: $0).rfc3339) } ?? .null)
    }
    fields.add("silence_ms", standing.silence.map { .int($0) } ?? .null)
    fields.add("progress", standing.heartbeat.progress)
    fields.add("status", standing.heartbeat.status)
    fields.add("busy_for_ms", standing.heartbeat.busyMilliseconds.map { .int($0) })
    return fields.json
  }
}

extension AgentProfile {
  fileprivate var fields: WireFields {
    var fields = WireFields()
    fields.add("capabilities", .array(capabilities.map { .string($0) }))
    fields.add("weight", .int(weight))
    fields.add("capacity", capacity.map { .int($0) } ?? .null)
    fields.add("heartbeat_interval_ms", .int(heartbeatInterval))
    fields.add("public_key", publicKey.map { StateValue(Base64.text($0)) })
    fields.add("metadata", .object(metadata))
    return fields
  }
}

extension AgentProfile.Change {
  /// Fields of a registration.
  package static let fieldNames: Set<UTF8String> = [
    "capabilities", "weight", "capacity", "heartbeat_interval_ms", "public_key", "metadata",
  ]

  /// `{capabilities?, weight?, capacity?, heartbeat_interval_ms?, public_key?, metadata?}`; a `capacity` of null is none.
  package var json: StateValue { fields.json }

  var fields: WireFields {
    var fields = WireFields()
    fields.add("capabilities", capabilities.map { .array($0.map { StateValue($0) }) })
    fields.add("weight", weight.map { .int($0) })
    if let capacity { fields.add("capacity", capacity.map { .int($0) } ?? .null) }
    fields.add("heartbeat_interval_ms", heartbeatInterval.map { .int($0) })
    fields.add("public_key", publicKey.map { StateValue(Base64.text($0)) })
    fields.add("metadata", metadata.map { .object($0) })
    return fields
  }

  /// As ``fields`` writes it.
  package init(fields: WireObject) throws(WireError) {
    self.init()
    if let elements = try fields.elements("capabilities") {
      var texts: [String] = []
      for (value, place) in elements { texts.append(try WireObject.text(value, place).string) }
      capabilities = texts
    }
    weight = try fields.optionalInteger("weight")
    if fields.object["capacity"] != nil { capacity = .some(try fields.optionalInteger("capacity")) }
    heartbeatInterval = try fields.optionalInteger("heartbeat_interval_ms")
    if fields.optional("public_key") != nil {
      guard let key = Base64.bytes(try fields.text("public_key").string) else {
        throw WireError(fields.place.appending("public_key"), "must be Base64")
      }
      publicKey = key
    }
    if let value = fields.optional("metadata") {
      guard case .object(let object) = value else {
        throw WireError(fields.place.appending("metadata"), "must be an object, not \(value.kindName)")
      }
      metadata = object
    }
  }
}

extension Heartbeat {
  package static let fieldNames: Set<UTF8String> = ["busy_for_ms", "progress", "status"]

  /// `{busy_for_ms?, progress?, status?}`.
  package var fields: WireFields {
    var fields = WireFields()
    fields.add("busy_for_ms", busyMilliseconds.map { .int($0) })
    fields.add("progress", progress)
    fields.add("status", status)
    return fields
  }

  package init(fields: WireObject) throws(WireError) {
    self.init(
      busyMilliseconds: try fields.optionalInteger("busy_for_ms", in: 0...Int64.max),
      progress: fields.optional("progress"), status: fields.optional("status"))
  }
}

extension AgentPage {
  /// `{agents: […], next: string or null, revision}`.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("agents", .array(agents.map(\.json)))
    fields.add("next", next.map { .string($0.name) } ?? .null)
    fields.add("revision", integer: revision)
    return fields.json
  }
}

extension AgentEvent {
  /// `{agent_id, incarnation, change: "registered" | "unregistered" | "failed" | "recovered"}`.
  public var json: StateValue {
    ["agent_id": .string(agent.name), "incarnation": .int(incarnation), "change": StateValue(kind.rawValue)]
  }
}

extension HealthReport {
  /// `{agent_id, incarnation, health, stuck, silence_ms}`.
  public var json: StateValue {
    [
      "agent_id": .string(agent.name), "incarnation": .int(incarnation), "health": StateValue(health.rawValue),
      "stuck": .bool(isStuck), "silence_ms": .int(silence),
    ]
  }
}

extension AgentCommand {
  /// In a log: `{register: {agent_id, …}}`, `{unregister: agent}`, `{fail: {agent_id, incarnation, last_sign?}}` or
  /// `{recover: {agent_id, incarnation}}`.
  var json: StateValue {
    var content = WireFields()
    content.add("agent_id", .string(agent.name))
    let name: UTF8String
    switch self {
    case .register(_, let change):
      name = "register"
      content.add(change.fields)
    case .unregister: name = "unregister"
    case .fail(_, let incarnation, let lastSign):
      name = "fail"
      content.add("incarnation", integer: incarnation)
      content.add("last_sign", lastSign.map { StateValue(Timestamp(milliseconds: $0).rfc3339) })
    case .recover(_, let incarnation):
      name = "recover"
      content.add("incarnation", integer: incarnation)
    }
    var fields = WireFields()
    fields.add(name, content.json)
    return fields.json
  }
}

extension AgentOutcome {
  /// `{registered: incarnation, new}`, `{unregistered: true}`, `{failed: true}`, `{recovered: true}` or `{unchanged: true}`.
  package var json: StateValue {
    switch self {
    case .registered(let incarnation, let isNew): ["registered": .int(incarnation), "new": .bool(isNew)]
    case .unregistered: ["unregistered": true]
    case .failed: ["failed": true]
    case .recovered: ["recovered": true]
    case .unchanged: ["unchanged": true]
    }
  }
}
