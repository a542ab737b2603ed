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
    }
    // Signed, so that whatever was submitted can be read again; applying decides what may be set.
    writer.signed(Int64(limits.valueBytes))
    writer.signed(Int64(limits.siblings))
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
      policies.append(KeyPolicy(pattern: pattern, type: type, strategy: strategy, writers: writers))
    }
    let valueBytes = try reader.signed("settings.value_bytes")
    let siblings = try reader.signed("settings.siblings")
    self.init(policies: policies, limits: SwarmLimits(valueBytes: Int(valueBytes), siblings: Int(siblings)))
  }
}
