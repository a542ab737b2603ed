import MoaiCRDT

extension SwarmSettings {
  /// `{policies: [{pattern, crdt_type?, strategy?, writers?, min?, max?, retention?: {idle_ms}}], limits: {value_bytes,
  /// siblings, replica_idle_ms}, retention?: {history_ms?, history_entries?}}`.
  public var json: StateValue { fields.json }

  var fields: WireFields {
    var limits = WireFields()
    limits.add("value_bytes", integer: self.limits.valueBytes)
    limits.add("siblings", integer: self.limits.siblings)
    limits.add("replica_idle_ms", integer: self.limits.replicaIdleMilliseconds)
    var fields = WireFields()
    fields.add("policies", .array(policies.map(\.json)))
    fields.add("limits", limits.json)
    if retention.isBounded { fields.add("retention", retention.json) }
    return fields
  }

  /// Reads settings. What is left out has its default; a field that is unknown or not supported yet is refused.
  public init(json: StateValue) throws(WireError) {
    let fields = try WireObject(
      json, at: .root, allowing: ["policies", "limits", "retention"], planned: ["quorum", "topology"])
    var policies: [KeyPolicy] = []
    let given = try fields.elements("policies") ?? []
    guard given.count <= SettingsTable.policyLimit else {
      throw WireError(JSONPointer("policies"), "\(given.count) policies, at most \(SettingsTable.policyLimit)")
    }
    for (policy, place) in given {
      policies.append(try KeyPolicy(json: policy, at: place))
    }
    self.init(
      policies: policies, limits: try SwarmLimits(json: fields.optional("limits")),
      retention: try HistoryRetention(json: fields.optional("retention")))
  }
}

extension KeyPolicy {
  /// Bytes of a pattern, and patterns of writers in one policy, at most.
  private static let patternBytes = 512
  private static let writerLimit = 1_000

  var json: StateValue {
    var fields = WireFields()
    fields.add("pattern", .string(pattern.text))
    fields.add("crdt_type", type.map { .string(UTF8String($0.rawValue)) })
    fields.add("strategy", strategy.map { .string(UTF8String($0.rawValue)) })
    fields.add("writers", writers.map { .array($0.map { .string($0.text) }) })
    fields.add("min", bounds.minimum.map { .int($0) })
    fields.add("max", bounds.maximum.map { .int($0) })
    if let idleMilliseconds {
      var retention = WireFields()
      retention.add("idle_ms", integer: idleMilliseconds)
      fields.add("retention", retention.json)
    }
    return fields.json
  }

  init(json: StateValue, at place: JSONPointer) throws(WireError) {
    let fields = try WireObject(
      json, at: place, allowing: ["pattern", "crdt_type", "strategy", "writers", "min", "max", "retention"])
    var writers: [GlobPattern]?
    if let given = try fields.elements("writers") {
      guard given.count <= KeyPolicy.writerLimit else {
        throw WireError(place.appending("writers"), "\(given.count) patterns, at most \(KeyPolicy.writerLimit)")
      }
      var patterns: [GlobPattern] = []
      for (writer, place) in given { patterns.append(try KeyPolicy.pattern(writer, at: place)) }
      writers = patterns
    }
    self.init(
      pattern: try KeyPolicy.pattern(try fields.required("pattern"), at: place.appending("pattern")),
      type: try fields.choice("crdt_type", of: CRDTType.self),
      strategy: try fields.choice("strategy", of: KeyStrategy.self), writers: writers,
      bounds: try KeyPolicy.bounds(in: fields), idleMilliseconds: try KeyPolicy.idle(in: fields))
  }

  private static func bounds(in fields: WireObject) throws(WireError) -> CounterBounds {
    let bounds = CounterBounds(
      minimum: try fields.optionalInteger("min"), maximum: try fields.optionalInteger("max"))
    if let minimum = bounds.minimum, let maximum = bounds.maximum, minimum > maximum {
      throw WireError(fields.place.appending("max"), "\(maximum) is less than min, which is \(minimum)")
    }
    return bounds
  }

  private static func idle(in fields: WireObject) throws(WireError) -> Int64? {
    guard let given = fields.optional("retention") else { return nil }
    let retention = try WireObject(given, at: fields.place.appending("retention"), allowing: ["idle_ms"])
    return try retention.optionalInteger("idle_ms", in: SettingsTable.durations)
  }

  private static func pattern(_ json: StateValue, at place: JSONPointer) throws(WireError) -> GlobPattern {
    let text = try WireObject.text(json, place)
    guard 1...patternBytes ~= text.count else {
      throw WireError(place, "a pattern has 1 to \(patternBytes) bytes, this one \(text.count)")
    }
    return GlobPattern(text.string)
  }
}

extension SwarmLimits {
  fileprivate init(json: StateValue?) throws(WireError) {
    self.init()
    guard let json else { return }
    let fields = try WireObject(
      json, at: JSONPointer("limits"), allowing: ["value_bytes", "siblings", "replica_idle_ms"])
    valueBytes = Int(
      try fields.integer(
        "value_bytes", in: 1...Int64(SwarmLimits.maximumValueBytes), default: Int64(valueBytes)))
    siblings = Int(try fields.integer("siblings", in: 1...4096, default: Int64(siblings)))
    replicaIdleMilliseconds = try fields.integer(
      "replica_idle_ms", in: SettingsTable.durations, default: replicaIdleMilliseconds)
  }
}

extension HistoryRetention {
  fileprivate var json: StateValue {
    var fields = WireFields()
    fields.add("history_ms", milliseconds.map { .int($0) })
    fields.add("history_entries", entries.map { .int($0) })
    return fields.json
  }

  fileprivate init(json: StateValue?) throws(WireError) {
    self.init()
    guard let json else { return }
    let fields = try WireObject(json, at: JSONPointer("retention"), allowing: ["history_ms", "history_entries"])
    milliseconds = try fields.optionalInteger("history_ms", in: SettingsTable.durations)
    entries = try fields.optionalInteger("history_entries", in: SettingsTable.durations)
  }
}
