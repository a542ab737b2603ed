import MoaiCRDT

/// What may be asked of a swarm's settings.
public enum SettingsCommand: Sendable, Hashable {
  /// Replaces all settings. Keys that exist keep their type and strategy.
  case replace(SwarmSettings)
}

/// Why settings were refused.
@nonexhaustive
public enum SettingsRefusal: Error, Sendable, Hashable, CustomStringConvertible {
  /// A limit outside of what may be set; the text says what may.
  case limit(String)

  public var description: String {
    switch self {
    case .limit(let text): text
    }
  }
}

extension SettingsCommand {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .replace(let settings):
      writer.byte(1)
      settings.encode(into: &writer)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("settings") {
    case 1: self = .replace(try SwarmSettings(from: &reader))
    case let tag: throw reader.failure(.malformed("\(tag) is no settings command"), "settings")
    }
  }
}

extension SettingsRefusal {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .limit(let text): writer.string(text)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    self = .limit(try reader.string("refusal.limit", limit: 1024))
  }
}

extension SwarmSettings {
  func encode(into writer: inout ByteWriter) {
    writer.count(policies.count)
    for policy in policies {
      writer.string(policy.pattern.text.string)
      writer.byte(policy.type?.tag ?? 0)
      writer.byte(policy.strategy?.tag ?? 0)
      writer.bool(policy.writers != nil)
      if let writers = policy.writers {
        writer.count(writers.count)
        for pattern in writers { writer.string(pattern.text.string) }
      }
      writer.optional(policy.bounds.minimum)
      writer.optional(policy.bounds.maximum)
      writer.optional(policy.idleMilliseconds)
    }
    // Signed, so that whatever was submitted can be read again; applying decides what may be set.
    writer.signed(Int64(limits.valueBytes))
    writer.signed(Int64(limits.siblings))
    writer.signed(limits.replicaIdleMilliseconds)
    writer.optional(retention.milliseconds)
    writer.optional(retention.entries)
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    var policies: [KeyPolicy] = []
    for _ in 0..<(try reader.count("settings.policies", bytesPerElement: 4)) {
      let pattern = GlobPattern(try reader.string("policy.pattern"))
      let type = try reader.optionalType("policy.crdt_type")
      let strategy = try reader.optionalStrategy("policy.strategy")
      var writers: [GlobPattern]?
      if try reader.bool("policy.writers") {
        var patterns: [GlobPattern] = []
        for _ in 0..<(try reader.count("policy.writers")) {
          patterns.append(GlobPattern(try reader.string("policy.writer")))
        }
        writers = patterns
      }
      let bounds = CounterBounds(
        minimum: try reader.optionalSigned("policy.min"), maximum: try reader.optionalSigned("policy.max"))
      policies.append(
        KeyPolicy(
          pattern: pattern, type: type, strategy: strategy, writers: writers, bounds: bounds,
          idleMilliseconds: try reader.optionalSigned("policy.idle_ms")))
    }
    let valueBytes = try reader.signed("settings.value_bytes")
    let siblings = try reader.signed("settings.siblings")
    let limits = SwarmLimits(
      valueBytes: Int(valueBytes), siblings: Int(siblings),
      replicaIdleMilliseconds: try reader.signed("settings.replica_idle_ms"))
    let retention = HistoryRetention(
      milliseconds: try reader.optionalSigned("settings.history_ms"),
      entries: try reader.optionalSigned("settings.history_entries"))
    self.init(policies: policies, limits: limits, retention: retention)
  }
}

extension ByteWriter {
  mutating func optional(_ number: Int64?) {
    bool(number != nil)
    if let number { signed(number) }
  }
}

extension ByteReader {
  mutating func optionalSigned(_ field: String) throws(DecodingFailure) -> Int64? {
    try bool(field) ? try signed(field) : nil
  }
}
