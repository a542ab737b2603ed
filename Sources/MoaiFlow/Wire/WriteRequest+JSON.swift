package import MoaiCRDT

extension WriteRequest {
  /// Fields of a whole value's write.
  package static let valueFields: Set<UTF8String> = [
    "value", "crdt_type", "strategy", "base", "replace", "share", "if_revision",
  ]
  /// Fields of a write by operations.
  package static let operationFields: Set<UTF8String> = ["ops", "base", "if_revision", "crdt_type", "strategy"]
  /// Fields that come with leases.
  package static let plannedFields: Set<UTF8String> = ["lease"]

  /// A whole value: `{value, crdt_type?, strategy?, base?, replace?, share?, if_revision?}`.
  package init(value fields: WireObject, of key: StateKey) throws(WireError) {
    let content: Content
    if fields.object["share"] != nil {
      guard fields.object["value"] == nil, try !fields.flag("replace") else {
        throw WireError(fields.place.appending("share"), "goes neither with value nor with replace")
      }
      content = .share(try fields.integer("share"))
    } else {
      content = .value(try fields.required("value"), replacing: try fields.flag("replace"))
    }
    self.init(
      key, content, base: try fields.reference("base"), ifRevision: try fields.reference("if_revision"),
      type: try fields.choice("crdt_type", of: CRDTType.self),
      strategy: try fields.choice("strategy", of: KeyStrategy.self))
  }

  /// Operations: `{ops, base?, if_revision?, crdt_type?, strategy?}`.
  package init(operations fields: WireObject, of key: StateKey) throws(WireError) {
    let operations = try StateOperation.list(json: try fields.required("ops"), at: fields.place.appending("ops"))
    self.init(
      key, .operations(operations), base: try fields.reference("base"), ifRevision: try fields.reference("if_revision"),
      type: try fields.choice("crdt_type", of: CRDTType.self),
      strategy: try fields.choice("strategy", of: KeyStrategy.self))
  }

  /// One write of a batch: `{state_key, ops or value or share or delete: true, …}`.
  package init(json: StateValue, at place: JSONPointer) throws(WireError) {
    let all = try WireObject(
      json, at: place,
      allowing: WriteRequest.valueFields.union(WriteRequest.operationFields).union(["state_key", "delete"]))
    guard let key = try all.name("state_key", StateKey.init) else {
      throw WireError(place.appending("state_key"), "the field is missing")
    }
    let kinds = ["ops", "value", "share", "delete"].filter { all.object[$0] != nil }
    guard kinds.count == 1, let kind = kinds.first else {
      throw WireError(place, "must have one of ops, value, share, delete")
    }
    func fields(_ names: Set<UTF8String>) throws(WireError) -> WireObject {
      try WireObject(json, at: place, allowing: names.union(["state_key"]))
    }
    switch kind {
    case "ops": try self.init(operations: fields(WriteRequest.operationFields), of: key)
    case "delete":
      let fields = try fields(["delete", "base", "if_revision"])
      guard try fields.flag("delete") else { throw WireError(place.appending("delete"), "must be true") }
      self.init(
        key, .delete, base: try fields.reference("base"), ifRevision: try fields.reference("if_revision"))
    default: try self.init(value: fields(WriteRequest.valueFields), of: key)
    }
  }

  /// One write of a batch, as ``init(json:at:)`` reads it.
  package var json: StateValue {
    var fields = WireFields()
    fields.add("state_key", .string(key.name))
    switch content {
    case .operations(let operations): fields.add("ops", .array(operations.map(\.json)))
    case .value(let value, let replacing):
      fields.add("value", value)
      if replacing { fields.add("replace", true) }
    case .share(let share): fields.add("share", .int(share))
    case .delete: fields.add("delete", true)
    }
    fields.add("base", base?.json)
    fields.add("if_revision", ifRevision?.json)
    fields.add("crdt_type", type.map { .string(UTF8String($0.rawValue)) })
    fields.add("strategy", strategy.map { .string(UTF8String($0.rawValue)) })
    return fields.json
  }
}

extension RevisionReference {
  package var json: StateValue {
    switch self {
    case .revision(let revision): .int(revision)
    case .cursor(let cursor): .string(UTF8String(cursor.description))
    }
  }
}

extension RewindRequest {
  /// `{agent_id and since, or revision, keys?, partial?}`; other fields are the caller's.
  package init(fields: WireObject) throws(WireError) {
    let target: Target
    if let revision = try fields.reference("revision") {
      guard fields.optional("agent_id") == nil, fields.optional("since") == nil else {
        throw WireError(fields.place.appending("revision"), "goes neither with agent_id nor with since")
      }
      target = .revision(revision)
    } else {
      guard let agent = try fields.name("agent_id", { name throws(NameError) in try AgentID(name) }) else {
        throw WireError(fields.place.appending("agent_id"), "the field is missing; or give revision")
      }
      guard let since = try fields.reference("since") else {
        throw WireError(fields.place.appending("since"), "the field is missing")
      }
      target = .agent(agent, since: since)
    }
    var keys: [GlobPattern] = []
    for (value, place) in try fields.elements("keys") ?? [] {
      keys.append(GlobPattern(try WireObject.text(value, place).string))
    }
    self.init(target, keys: keys, isPartial: try fields.flag("partial"))
  }
}

extension RewindRequest {
  /// As ``init(fields:)`` reads it.
  package var fields: WireFields {
    var fields = WireFields()
    switch target {
    case .agent(let agent, let since):
      fields.add("agent_id", .string(agent.name))
      fields.add("since", since.json)
    case .revision(let revision): fields.add("revision", revision.json)
    }
    if !keys.isEmpty { fields.add("keys", .array(keys.map { .string($0.text) })) }
    if isPartial { fields.add("partial", true) }
    return fields
  }
}

extension WriteRequest {
  /// The same write under another condition.
  package func with(condition: RevisionReference?) -> WriteRequest {
    WriteRequest(key, content, base: base, ifRevision: condition, type: type, strategy: strategy)
  }
}
