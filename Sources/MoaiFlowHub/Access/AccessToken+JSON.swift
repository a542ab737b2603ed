import MoaiCRDT
public import MoaiFlow

extension AccessToken {
  /// `{id, role, swarm?, agent?, covers?, note?, created_at, expires_at?, requests_per_s?}`.
  public var json: StateValue { fields.json }

  /// The same with the hash, as the file has it.
  var stored: StateValue {
    var fields = fields
    fields.add("hash", text: hash.hexadecimal)
    return fields.json
  }

  private var fields: WireFields {
    var fields = WireFields()
    fields.add("id", text: id.description)
    fields.add("role", text: role.rawValue)
    fields.add("swarm", swarm.map { .string($0.name) })
    fields.add("agent", agent.map { .string($0.name) })
    fields.add("covers", covers.map { .string($0.text) })
    fields.add("note", note.map { StateValue($0) })
    fields.add("created_at", text: created.rfc3339)
    fields.add("expires_at", expires.map { StateValue($0.rfc3339) })
    fields.add("requests_per_s", requestsPerSecond.map { .int(Int64($0)) })
    return fields
  }

  init(stored json: StateValue, at place: JSONPointer) throws(WireError) {
    let fields = try WireObject(
      json, at: place,
      allowing: [
        "id", "role", "swarm", "agent", "covers", "note", "created_at", "expires_at", "requests_per_s", "hash",
      ])
    guard let id = TokenID(try fields.text("id").string) else {
      throw WireError(place.appending("id"), "must be sixteen hexadecimal digits")
    }
    guard let hash = [UInt8](hexadecimal: try fields.text("hash").string), hash.count == 32 else {
      throw WireError(place.appending("hash"), "must be 64 hexadecimal digits")
    }
    guard let role = try fields.choice("role", of: Role.self) else {
      throw WireError(place.appending("role"), "the field is missing")
    }
    self.id = id
    self.hash = hash
    self.role = role
    swarm = try fields.name("swarm") { text throws(NameError) in try SwarmName(text) }
    agent = try fields.name("agent") { text throws(NameError) in try AgentID(text) }
    covers = try fields.optionalText("covers").map { GlobPattern($0) }
    note = try fields.optionalText("note")
    guard let created = try fields.timestamp("created_at") else {
      throw WireError(place.appending("created_at"), "the field is missing")
    }
    self.created = created
    expires = try fields.timestamp("expires_at")
    requestsPerSecond = try fields.optionalInteger("requests_per_s", in: AccessToken.rates).map { Int($0) }
  }

  /// What a token's rate may be, in requests a second.
  static let rates: ClosedRange<Int64> = 1...1_000_000
}

extension TokenGrant {
  /// `{role, swarm?, agent?, covers?, note?, expires_in_ms?, requests_per_s?}`.
  init(fields: WireObject) throws(WireError) {
    guard let role = try fields.choice("role", of: Role.self) else {
      throw WireError(fields.place.appending("role"), "the field is missing")
    }
    try self.init(
      role: role, swarm: try fields.name("swarm") { text throws(NameError) in try SwarmName(text) },
      agent: try fields.optionalText("agent"), covers: try fields.optionalText("covers"),
      note: try fields.optionalText("note"),
      lifetime: try fields.optionalInteger("expires_in_ms", in: TokenGrant.lifetimes),
      requestsPerSecond: try fields.optionalInteger("requests_per_s", in: AccessToken.rates).map { Int($0) })
  }

  /// As ``init(fields:)`` reads it.
  public var json: StateValue {
    var fields = WireFields()
    fields.add("role", text: role.rawValue)
    fields.add("swarm", swarm.map { .string($0.name) })
    fields.add("agent", agent.map { .string($0.name) })
    switch role {
    case .agent: fields.add("agent", covers.map { .string($0.text) })
    default: fields.add("covers", covers.map { .string($0.text) })
    }
    fields.add("note", note.map { StateValue($0) })
    fields.add("expires_in_ms", lifetime.map { .int($0) })
    fields.add("requests_per_s", requestsPerSecond.map { .int(Int64($0)) })
    return fields.json
  }

  static let fieldNames: Set<UTF8String> = [
    "role", "swarm", "agent", "covers", "note", "expires_in_ms", "requests_per_s",
  ]

  /// A second to ten years, in milliseconds.
  public static let lifetimes: ClosedRange<Int64> = 1_000...(3_653 * 24 * 60 * 60 * 1_000)
}

extension WireObject {
  fileprivate func optionalText(_ name: String) throws(WireError) -> String? {
    guard let value = optional(name) else { return nil }
    return try WireObject.text(value, place.appending(name)).string
  }

  fileprivate func timestamp(_ name: String) throws(WireError) -> Timestamp? {
    guard let text = try optionalText(name) else { return nil }
    do { return try Timestamp(rfc3339: text) } catch { throw WireError(place.appending(name), "is no time") }
  }
}
