package import MoaiCRDT

/// Reading what a hub answers: unlike a request, an answer may have fields that this version does not know.
extension WireObject {
  package init(answer json: StateValue, at place: JSONPointer = .root) throws(WireError) {
    guard case .object(let object) = json else { throw WireError(place, "must be an object, not \(json.kindName)") }
    self.init(trusted: object, at: place)
  }

  package func key(_ name: String = "state_key") throws(WireError) -> StateKey {
    try requiredName(name) { text throws(NameError) in try StateKey(text) }
  }

  /// An author: an agent, or one of the names that the system writes as.
  package func agent(_ name: String = "agent_id") throws(WireError) -> AgentID {
    try requiredName(name) { text throws(NameError) in try AgentID(author: text) }
  }

  package func optionalAgent(_ name: String) throws(WireError) -> AgentID? {
    try self.name(name) { text throws(NameError) in try AgentID(author: text) }
  }

  private func requiredName<Name>(
    _ field: String, _ check: (String) throws(NameError) -> Name
  ) throws(WireError) -> Name {
    guard let name = try name(field, check) else { throw missing(field) }
    return name
  }

  package func missing(_ field: String) -> WireError { WireError(place.appending(field), "the field is missing") }

  package func count(_ name: String) throws(WireError) -> Int { Int(clamping: try integer(name)) }

  package func number(_ name: String) throws(WireError) -> UInt64 {
    guard let number = UInt64(exactly: try integer(name)) else {
      throw WireError(place.appending(name), "is negative")
    }
    return number
  }

  package func cursor(_ name: String = "cursor") throws(WireError) -> Cursor {
    guard let cursor = try optionalCursor(name) else { throw missing(name) }
    return cursor
  }

  package func optionalCursor(_ name: String) throws(WireError) -> Cursor? {
    guard let value = optional(name) else { return nil }
    guard let cursor = Cursor(try WireObject.text(value, place.appending(name)).string) else {
      throw WireError(place.appending(name), "is no cursor")
    }
    return cursor
  }

  /// Sixteen hexadecimal digits.
  package func hash(_ name: String) throws(WireError) -> UInt64 {
    let text = try text(name).string
    guard let epoch = Epoch(digits: text.utf8[...]), epoch.description == text else {
      throw WireError(place.appending(name), "must be sixteen hexadecimal digits")
    }
    return epoch.rawValue
  }

  package func replica(_ name: String = "replica") throws(WireError) -> ReplicaID { ReplicaID(try hash(name)) }

  package func choice<Choice: RawRepresentable<String> & CaseIterable>(
    required name: String, of kind: Choice.Type
  ) throws(WireError) -> Choice {
    guard let choice = try choice(name, of: kind) else { throw missing(name) }
    return choice
  }

  /// `timestamp` and `logical` (rule §1.5).
  package func timestamp() throws(WireError) -> Timestamp {
    guard let timestamp = try optionalTimestamp() else { throw missing("timestamp") }
    return timestamp
  }

  package func optionalTimestamp() throws(WireError) -> Timestamp? {
    guard let value = optional("timestamp") else { return nil }
    let text = try WireObject.text(value, place.appending("timestamp")).string
    let logical = UInt16(try integer("logical", in: 0...Int64(UInt16.max), default: 0))
    do {
      return try Timestamp(rfc3339: text, logical: logical)
    } catch {
      throw WireError(place.appending("timestamp"), "is no time")
    }
  }

  /// Milliseconds since 1970, written as a time.
  package func instant(_ name: String) throws(WireError) -> Int64 {
    do {
      return try Timestamp(rfc3339: try text(name).string).milliseconds
    } catch {
      throw WireError(place.appending(name), "is no time")
    }
  }

  /// The elements of an array, read one by one; empty if the field is absent or null.
  package func list<Element>(
    _ name: String, _ read: (WireObject) throws(WireError) -> Element
  ) throws(WireError) -> [Element] {
    var list: [Element] = []
    for (value, place) in try elements(name) ?? [] { list.append(try read(try WireObject(answer: value, at: place))) }
    return list
  }

  package func object(_ name: String) throws(WireError) -> WireObject {
    try WireObject(answer: try required(name), at: place.appending(name))
  }

  package func optionalObject(_ name: String) throws(WireError) -> WireObject? {
    guard let value = optional(name) else { return nil }
    return try WireObject(answer: value, at: place.appending(name))
  }

  package func texts(_ name: String) throws(WireError) -> [UTF8String] {
    var texts: [UTF8String] = []
    for (value, place) in try elements(name) ?? [] { texts.append(try WireObject.text(value, place)) }
    return texts
  }

  /// What stands in a change: `deleted: true`, `value`, or `delta` with `ops` or `replace`.
  package func changeContent() throws(WireError) -> StateChange.Content {
    if try flag("deleted") { return .deleted }
    if let value = object["value"] { return .value(value) }
    let delta = try object("delta")
    if let value = delta.object["replace"] { return .value(value) }
    return .operations(
      try StateOperation.list(
        json: try delta.required("ops"), at: delta.place.appending("ops"), allowsShares: true))
  }

  package func right() throws(WireError) -> CounterRight {
    CounterRight(down: try integer("down"), up: try integer("up"))
  }
}
