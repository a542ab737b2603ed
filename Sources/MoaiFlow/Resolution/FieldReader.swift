import MoaiCRDT

/// Reads the fields of one object inside a `crdt_state`, and names the field that is wrong.
struct FieldReader {
  private let object: StateObject
  private let place: JSONPointer

  init(_ json: StateValue, at place: JSONPointer, allowing names: Set<UTF8String>) throws(StateVersionError) {
    guard case .object(let object) = json else {
      throw StateVersionError(place, "must be an object, not \(json.kindName)")
    }
    for field in object.fields where !names.contains(field.name) {
      throw StateVersionError(place.appending(field.name.string), "there is no such field here")
    }
    self.object = object
    self.place = place
  }

  func required(_ name: String) throws(StateVersionError) -> StateValue {
    guard let value = object[name] else { throw StateVersionError(place.appending(name), "the field is missing") }
    return value
  }

  func text(_ name: String) throws(StateVersionError) -> UTF8String {
    try StateVersion.text(try required(name), place.appending(name))
  }

  func agent(_ name: String) throws(StateVersionError) -> UTF8String {
    let agent = try text(name)
    try StateVersion.checkAgent(agent, place.appending(name))
    return agent
  }

  func timestamp() throws(StateVersionError) -> Timestamp {
    try StateVersion.timestamp(try required("timestamp"), logical: object["logical"], in: place)
  }

  func version() throws(StateVersionError) -> Int64 {
    try StateVersion.versionNumber(try required("version"), place.appending("version"))
  }

  func value(_ name: String, limits: ValueLimits) throws(StateVersionError) -> StateValue {
    let value = try required(name)
    do {
      try limits.check(value)
    } catch {
      throw StateVersionError(place.appending(name), error.description)
    }
    return value
  }
}
