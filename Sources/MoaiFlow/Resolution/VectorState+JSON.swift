import MoaiCRDT

extension VectorState {
  var json: StateValue {
    .array(elements.map(\.json))
  }

  init(json: StateValue, at field: JSONPointer, limits: ValueLimits) throws(StateVersionError) {
    guard case .array(let values) = json, values.count >= 2 else {
      throw StateVersionError(field, "must be an array of at least two writes")
    }
    var join = VectorJoin(reservingCapacity: values.count)
    var elements: [Element] = []
    for (index, value) in values.enumerated() {
      let element = try Element(json: value, at: field.appending(index), limits: limits)
      if let last = elements.last, Element.lwwOrder(last, element) <= 0 {
        throw StateVersionError(field.appending(index), "is not older than the write before it")
      }
      elements.append(element)
      join.insert(element, source: nil) { _ in false }
    }
    guard join.candidates.count == elements.count else {
      throw StateVersionError(field, "holds a write that another one of them replaces")
    }
    self.init(concurrent: elements)
  }

  func check(against version: StateVersion) throws(StateVersionError) {
    let shown = elements[0]
    try requireView(version.value == shown.value, "value", "\(shown.value)")
    try requireView(version.agent == shown.agent, "agent_id", "\(shown.agent)")
    try requireView(version.timestamp == shown.timestamp, "timestamp", shown.timestamp.rfc3339)
    try requireView(version.vectorClock == clock, "vector_clock", "\(StateValue.object(clock.json))")
    try requireView(version.crdtType == nil, "crdt_type", "without a type")
  }
}

extension VectorState.Element {
  /// As in `crdt_state` and in `siblings`.
  public var json: StateValue {
    var fields: [StateObject.Field] = [.init("agent_id", .string(agent))]
    if timestamp.logical > 0 { fields.append(.init("logical", .int(Int64(timestamp.logical)))) }
    fields.append(.init("timestamp", StateValue(timestamp.rfc3339)))
    fields.append(.init("value", value))
    fields.append(.init("vector_clock", .object(clock.json)))
    fields.append(.init("version", .int(version)))
    return .object(StateObject(ascending: fields))
  }

  fileprivate init(json: StateValue, at field: JSONPointer, limits: ValueLimits) throws(StateVersionError) {
    let object = try FieldReader(
      json, at: field, allowing: ["agent_id", "logical", "timestamp", "value", "vector_clock", "version"])
    agent = try object.agent("agent_id")
    timestamp = try object.timestamp()
    value = try object.value("value", limits: limits)
    version = try object.version()
    let place = field.appending("vector_clock")
    guard let clock = try StateVersion.clock(try object.required("vector_clock"), place), !clock.isEmpty else {
      throw StateVersionError(place, "must not be empty")
    }
    self.clock = clock
  }
}
