import MoaiCRDT

extension StateVersion {
  /// Reads a version from its JSON object (rule §2.2). A field that no version has is refused; `null` counts as absent
  /// for the optional ones. `siblings` may be left out; where it is there it must agree with `crdt_state`.
  public init(json: StateValue, limits: ValueLimits = .default) throws(StateVersionError) {
    guard case .object(let object) = json else {
      throw StateVersionError(.root, "a version is an object, not \(json.kindName)")
    }
    for field in object.fields where !StateVersion.fieldNames.contains(field.name) {
      throw StateVersionError(field.name.string, "a version has no such field")
    }
    func required(_ name: String) throws(StateVersionError) -> StateValue {
      guard let value = object[name] else { throw StateVersionError(name, "the field is missing") }
      return value
    }
    func optional(_ name: String) -> StateValue? {
      if let value = object[name], !value.isNull { value } else { nil }
    }

    let name = try StateVersion.text(try required("state_key"), JSONPointer("state_key"))
    let key: StateKey
    do {
      key = try StateKey(name.string)
    } catch {
      throw StateVersionError("state_key", error.problem)
    }
    let metadata: StateObject
    switch optional("metadata") {
    case nil: metadata = .empty
    case .object(let fields): metadata = fields
    case let other?: throw StateVersionError("metadata", "must be an object, not \(other.kindName)")
    }
    let value = try required("value")
    let version = try StateVersion.integer(try required("version"), JSONPointer("version"))
    let timestamp = try StateVersion.timestamp(
      try required("timestamp"), logical: optional("logical"), in: .root)
    let type = try StateVersion.type(object["crdt_type"], JSONPointer("crdt_type"))
    var state: ResolutionState?
    if let json = optional("crdt_state") {
      let inMetadata = try StateVersion.type(metadata["crdt_type"], JSONPointer("metadata").appending("crdt_type"))
      state = try ResolutionState(json: json, declared: type ?? inMetadata, limits: limits)
    }
    try self.init(
      key: key, value: value, version: version, timestamp: timestamp,
      agent: try StateVersion.text(try required("agent_id"), JSONPointer("agent_id")),
      vectorClock: try StateVersion.clock(object["vector_clock"], JSONPointer("vector_clock")), crdtType: type,
      crdtState: state, metadata: metadata, limits: limits)

    if let given = optional("siblings"), given != .array(siblings.map(\.json)) {
      throw StateVersionError("siblings", "differ from what crdt_state holds")
    }
  }

  /// The version as its JSON object. `metadata` is left out where it is empty.
  public var json: StateValue {
    .object(jsonObject)
  }

  var jsonObject: StateObject {
    var fields: [StateObject.Field] = []
    fields.reserveCapacity(11)
    fields.append(.init("agent_id", .string(agent)))
    if let crdtState { fields.append(.init("crdt_state", .object(crdtState.json))) }
    if let crdtType { fields.append(.init("crdt_type", StateValue(crdtType.rawValue))) }
    if timestamp.logical > 0 { fields.append(.init("logical", .int(Int64(timestamp.logical)))) }
    if !metadata.isEmpty { fields.append(.init("metadata", .object(metadata))) }
    if !siblings.isEmpty { fields.append(.init("siblings", .array(siblings.map(\.json)))) }
    fields.append(.init("state_key", .string(key.name)))
    fields.append(.init("timestamp", StateValue(timestamp.rfc3339)))
    fields.append(.init("value", value))
    if let vectorClock { fields.append(.init("vector_clock", .object(vectorClock.json))) }
    fields.append(.init("version", .int(version)))
    return StateObject(ascending: fields)
  }

  /// What two versions can still differ in when key, value, version, timestamp and agent are equal; `metadata` is not
  /// part of it (rule §3.4).
  var rest: StateValue {
    var fields: [StateObject.Field] = []
    if let crdtState { fields.append(.init("crdt_state", .object(crdtState.json))) }
    if let crdtType { fields.append(.init("crdt_type", StateValue(crdtType.rawValue))) }
    if !siblings.isEmpty { fields.append(.init("siblings", .array(siblings.map(\.json)))) }
    if let vectorClock { fields.append(.init("vector_clock", .object(vectorClock.json))) }
    return .object(StateObject(ascending: fields))
  }

  private static let fieldNames: Set<UTF8String> = [
    "state_key", "value", "version", "timestamp", "agent_id", "logical", "vector_clock", "crdt_type", "crdt_state",
    "siblings", "metadata",
  ]
}

/// Reading single fields.
extension StateVersion {
  static func text(_ value: StateValue, _ field: @autoclosure () -> JSONPointer) throws(StateVersionError) -> UTF8String
  {
    guard case .string(let text) = value else {
      throw StateVersionError(field(), "must be a string, not \(value.kindName)")
    }
    return text
  }

  static func integer(_ value: StateValue, _ field: @autoclosure () -> JSONPointer) throws(StateVersionError) -> Int64 {
    guard case .int(let number) = value else {
      throw StateVersionError(field(), "must be an integer, not \(value.kindName)")
    }
    return number
  }

  static func versionNumber(_ value: StateValue, _ field: @autoclosure () -> JSONPointer) throws(StateVersionError)
    -> Int64
  {
    let number = try integer(value, field())
    guard (0...maxVersion).contains(number) else {
      throw StateVersionError(field(), "\(number) is not between 0 and \(maxVersion)")
    }
    return number
  }

  /// From a `timestamp` and the `logical` beside it, both in the object at `parent`.
  static func timestamp(
    _ value: StateValue, logical: StateValue?, in parent: JSONPointer
  ) throws(StateVersionError) -> Timestamp {
    let written = try text(value, parent.appending("timestamp"))
    var counter: UInt16?
    if let logical {
      let number = try integer(logical, parent.appending("logical"))
      counter = UInt16(exactly: number)
      guard counter != nil else {
        throw StateVersionError(parent.appending("logical"), "\(number) is not between 0 and 65535")
      }
    }
    do {
      return try Timestamp(rfc3339: written.string, logical: counter)
    } catch {
      throw StateVersionError(parent.appending(error.isAboutLogical ? "logical" : "timestamp"), error.problem)
    }
  }

  /// Nil for an absent or null clock. Zeros are dropped (rule §1.4).
  static func clock(
    _ value: StateValue?, _ field: @autoclosure () -> JSONPointer
  ) throws(StateVersionError) -> VectorClock<UTF8String>? {
    guard let value, !value.isNull else { return nil }
    guard case .object(let object) = value else {
      throw StateVersionError(field(), "must be an object of agents and numbers, not \(value.kindName)")
    }
    var entries: [(UTF8String, UInt64)] = []
    entries.reserveCapacity(object.count)
    for entry in object.fields {
      try checkAgent(entry.name, field().appending(entry.name.string))
      let number = try integer(entry.value, field().appending(entry.name.string))
      guard number >= 0 else {
        throw StateVersionError(field().appending(entry.name.string), "\(number) is negative")
      }
      entries.append((entry.name, UInt64(number)))
    }
    return VectorClock(entries)
  }

  /// Nil for an absent or null type.
  static func type(_ value: StateValue?, _ field: @autoclosure () -> JSONPointer) throws(StateVersionError) -> CRDTType?
  {
    guard let value, !value.isNull else { return nil }
    guard case .string(let name) = value, let type = CRDTType(rawValue: name.string) else {
      let names = CRDTType.allCases.map(\.rawValue).joined(separator: ", ")
      throw StateVersionError(field(), "must be one of \(names)")
    }
    return type
  }
}

extension VectorClock<UTF8String> {
  var json: StateObject {
    StateObject(ascending: entries.map { .init($0.id, .int(Int64(clamping: $0.number))) })
  }
}
