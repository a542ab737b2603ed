import MoaiCRDT

extension SnapshotState {
  /// An object from agent to snapshot. The declared type stands beside it, as the version's `crdt_type`.
  var json: StateValue {
    .object(StateObject(ascending: contributions.map { StateObject.Field($0.agent, $0.json) }))
  }

  init(
    json: StateValue, declared: CRDTType?, at field: JSONPointer, limits: ValueLimits
  ) throws(StateVersionError) {
    guard case .object(let agents) = json, !agents.isEmpty else {
      throw StateVersionError(field, "must be an object of agents and their snapshots, at least one")
    }
    var contributions: [Contribution] = []
    contributions.reserveCapacity(agents.count)
    for agent in agents.fields {
      let place = field.appending(agent.name.string)
      try StateVersion.checkAgent(agent.name, place)
      guard agent.name != coordinator else { throw StateVersionError(place, "the coordinator contributes nothing") }
      contributions.append(try Contribution(agent: agent.name, json: agent.value, at: place, limits: limits))
    }
    self.init(joining: contributions, declared: declared)
  }

  func check(against version: StateVersion, limits: ValueLimits) throws(StateVersionError) {
    let view: StateValue
    do {
      view = try self.view()
    } catch {
      switch error {
      case .misfit(let agent, let type):
        throw StateVersionError(
          JSONPointer("crdt_state").appending("crdt").appending(agent.string).appending("value"),
          "a \(type.rawValue) is contributed to by \(type.expectation)")
      case .sumOutOfRange: throw StateVersionError("crdt_state", "the sum leaves the range of its numbers")
      }
    }
    try requireView(version.crdtType == declared, "crdt_type", declared?.rawValue ?? "undeclared")
    try requireView(version.value == view, "value", "\(view)")
    try requireView(version.agent == coordinator, "agent_id", "\(coordinator)")
    try requireView(version.timestamp == timestamp, "timestamp", timestamp.rfc3339)
    try requireView(version.vectorClock == nil, "vector_clock", "without a clock")
  }
}

extension SnapshotState.Contribution {
  fileprivate var json: StateValue {
    var fields: [StateObject.Field] = []
    if timestamp.logical > 0 { fields.append(.init("logical", .int(Int64(timestamp.logical)))) }
    fields.append(.init("timestamp", StateValue(timestamp.rfc3339)))
    fields.append(.init("value", value))
    fields.append(.init("version", .int(version)))
    return .object(StateObject(ascending: fields))
  }

  fileprivate init(
    agent: UTF8String, json: StateValue, at field: JSONPointer, limits: ValueLimits
  ) throws(StateVersionError) {
    let object = try FieldReader(json, at: field, allowing: ["logical", "timestamp", "value", "version"])
    self.init(
      agent: agent, version: try object.version(), timestamp: try object.timestamp(),
      value: try object.value("value", limits: limits))
  }
}

/// Who a join's result is by, where it is nobody's own version (rule §3.7).
let coordinator: UTF8String = "coordinator"
