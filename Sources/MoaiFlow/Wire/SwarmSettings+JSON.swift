import MoaiCRDT

extension SwarmSettings {
  /// `{policies: [{pattern, crdt_type?, strategy?, writers?}], limits: {value_bytes, siblings}}`.
  public var json: StateValue { fields.json }

  var fields: WireFields {
    var limits = WireFields()
    limits.add("value_bytes", integer: self.limits.valueBytes)
    limits.add("siblings", integer: self.limits.siblings)
    var fields = WireFields()
    fields.add("policies", .array(policies.map(\.json)))
    fields.add("limits", limits.json)
    return fields
  }

  /// Reads settings. What is left out has its default; a field that is unknown or not supported yet is refused.
  public init(json: StateValue) throws(WireError) {
    let fields = try WireObject(
      json, at: .root, allowing: ["policies", "limits"], planned: ["retention", "quorum", "topology"])
    var policies: [KeyPolicy] = []
    let given = try fields.elements("policies") ?? []
    guard given.count <= SettingsTable.policyLimit else {
      throw WireError(JSONPointer("policies"), "\(given.count) policies, at most \(SettingsTable.policyLimit)")
    }
    for (policy, place) in given {
      policies.append(try KeyPolicy(json: policy, at: place))
    }
    self.init(policies: policies, limits: try SwarmLimits(json: fields.optional("limits")))
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
    return fields.json
  }

  init(json: StateValue, at place: JSONPointer) throws(WireError) {
    let fields = try WireObject(
      json, at: place, allowing: ["pattern", "crdt_type", "strategy", "writers"],
      planned: ["min", "max", "retention"])
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
      strategy: try fields.choice("strategy", of: KeyStrategy.self), writers: writers)
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
    let fields = try WireObject(json, at: JSONPointer("limits"), allowing: ["value_bytes", "siblings"])
    valueBytes = Int(
      try fields.integer(
        "value_bytes", in: 1...Int64(SwarmLimits.maximumValueBytes), default: Int64(valueBytes)))
    siblings = Int(try fields.integer("siblings", in: 1...4096, default: Int64(siblings)))
  }
}
