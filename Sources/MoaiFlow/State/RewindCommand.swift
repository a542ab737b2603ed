import MoaiCRDT

/// Takes recorded writes back, worked out in full: applying it looks at no history (rule §6.2).
///
/// It names what was asked, so that later rewinds can tell which writes this one covers, and per covered key the way
/// from the value at `plannedAt` to the value without those writes.
public struct RewindCommand: Sendable, Hashable {
  public let target: RewindTarget
  /// Patterns of keys; empty: every key.
  public let keys: [GlobPattern]
  /// Whether keys that could not be rewound were left out.
  public let isPartial: Bool
  /// The last revision that the planner had seen.
  public let plannedAt: Revision
  /// What happens to each covered key; a key stands here also if nothing of it changes.
  public let effects: [KeyRewind]

  /// Keys in one rewind at most, and parts that come back.
  static let limit = Dot.operationsPerEntry
}

/// Whose writes, or which entry's, are taken back.
public enum RewindTarget: Sendable, Hashable {
  /// What an agent wrote after a revision and nothing has taken back yet.
  case agent(AgentID, since: Revision)
  /// What one entry wrote; of a rewind: what it took back returns.
  case revision(Revision)
}

/// What a rewind does to one key.
public struct KeyRewind: Sendable, Hashable {
  public let key: StateKey
  /// The entry that last touched the key when the rewind was planned. If another one has since, it does not apply.
  let expected: Revision
  /// The first entry whose writes on this key the rewind leaves out, directly or by returning them.
  let reach: Revision
  let effect: Effect

  enum Effect: Sendable, Hashable {
    case none
    /// Writes that go, by their dots, and writes that come back.
    case parts(removed: [RemovedWrite], restored: [RestoredWrite])
    /// The share of each agent whose share changes.
    case shares([RestoredShare])
    case delete
    /// The key comes back, in place of what is there.
    case create(CRDTType, KeyStrategy, restored: [RestoredWrite], shares: [RestoredShare])
  }
}

struct RemovedWrite: Sendable, Hashable {
  let part: Part
  let dot: Dot
}

/// A write that comes back under a new dot, with the author and the time that it had.
struct RestoredWrite: Sendable, Hashable {
  let part: Part
  let value: StateValue
  let agent: AgentID
  let timestamp: Timestamp
  /// The revision at which the write first entered the journal.
  let origin: Revision
}

struct RestoredShare: Sendable, Hashable {
  let agent: AgentID
  let share: Int64
}

extension KeyRewind.Effect {
  var restored: [RestoredWrite] {
    switch self {
    case .parts(_, let restored), .create(_, _, let restored, _): restored
    case .none, .shares, .delete: []
    }
  }

  var shares: [RestoredShare] {
    switch self {
    case .shares(let shares), .create(_, _, _, let shares): shares
    case .none, .parts, .delete: []
    }
  }

  /// Dots that applying takes: one for a key that comes back, one for each write.
  var dots: Int {
    if case .create = self { restored.count + 1 } else { restored.count }
  }
}

extension RewindCommand {
  /// Every agent whose writes or shares come back.
  var agents: [AgentID] {
    effects.flatMap { $0.effect.restored.map(\.agent) + $0.effect.shares.map(\.agent) }
  }
}

// MARK: - Binary form

extension RewindCommand {
  func encode(into writer: inout ByteWriter) {
    target.encode(into: &writer)
    writer.count(keys.count)
    for pattern in keys { writer.string(pattern.text.string) }
    writer.bool(isPartial)
    writer.varint(UInt64(plannedAt))
    writer.count(effects.count)
    for effect in effects { effect.encode(into: &writer) }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    target = try RewindTarget(from: &reader)
    var patterns: [GlobPattern] = []
    for _ in 0..<(try reader.count("rewind.keys", limit: RewindRequest.patternLimit)) {
      patterns.append(GlobPattern(try reader.string("rewind.pattern", limit: RewindRequest.patternBytes)))
    }
    keys = patterns
    isPartial = try reader.bool("rewind.partial")
    plannedAt = try reader.revision("rewind.planned_at")
    let count = try reader.count("rewind.effects", bytesPerElement: 4, limit: RewindCommand.limit)
    var effects: [KeyRewind] = []
    effects.reserveCapacity(count)
    var dots = 0
    for _ in 0..<count {
      let effect = try KeyRewind(from: &reader)
      dots += effect.effect.dots
      guard dots <= Dot.operationsPerEntry else {
        throw reader.failure(.overLimit("more than \(Dot.operationsPerEntry) operations"), "rewind.effects")
      }
      effects.append(effect)
    }
    self.effects = effects
  }
}

extension RewindTarget {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .agent(let agent, let since):
      writer.byte(1)
      writer.string(agent.name.string)
      writer.varint(UInt64(since))
    case .revision(let revision):
      writer.byte(2)
      writer.varint(UInt64(revision))
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("rewind.target") {
    case 1:
      let agent = try reader.agent("rewind.agent")
      self = .agent(agent, since: try reader.revision("rewind.since"))
    case 2: self = .revision(try reader.revision("rewind.revision"))
    case let tag: throw reader.failure(.malformed("\(tag) is no target"), "rewind.target")
    }
  }
}

extension KeyRewind {
  fileprivate func encode(into writer: inout ByteWriter) {
    writer.string(key.name.string)
    writer.varint(UInt64(expected))
    writer.varint(UInt64(reach))
    switch effect {
    case .none: writer.byte(0)
    case .parts(let removed, let restored):
      writer.byte(1)
      writer.count(removed.count)
      for write in removed {
        writer.part(write.part)
        writer.dot(write.dot)
      }
      writer.restored(restored)
    case .shares(let shares):
      writer.byte(2)
      writer.shares(shares)
    case .delete: writer.byte(3)
    case .create(let type, let strategy, let restored, let shares):
      writer.byte(4)
      writer.byte(type.tag)
      writer.byte(strategy.tag)
      writer.restored(restored)
      writer.shares(shares)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    key = try reader.key("rewind.key")
    expected = try reader.revision("rewind.expected")
    reach = try reader.revision("rewind.reach")
    switch try reader.byte("rewind.effect") {
    case 0: effect = .none
    case 1:
      var removed: [RemovedWrite] = []
      for _ in 0..<(try reader.count("rewind.removed", bytesPerElement: 10)) {
        let part = try reader.part()
        removed.append(RemovedWrite(part: part, dot: try reader.dot("rewind.dot")))
      }
      effect = .parts(removed: removed, restored: try reader.restored())
    case 2: effect = .shares(try reader.shares())
    case 3: effect = .delete
    case 4:
      let type = try reader.type("rewind.crdt_type")
      guard let strategy = try reader.optionalStrategy("rewind.strategy") else {
        throw reader.failure(.malformed("no strategy"), "rewind.strategy")
      }
      let restored = try reader.restored()
      effect = .create(type, strategy, restored: restored, shares: try reader.shares())
    case let tag: throw reader.failure(.malformed("\(tag) is no effect"), "rewind.effect")
    }
  }
}

extension ByteWriter {
  fileprivate mutating func restored(_ writes: [RestoredWrite]) {
    count(writes.count)
    for write in writes {
      part(write.part)
      write.value.encode(into: &self)
      string(write.agent.name.string)
      timestamp(write.timestamp)
      varint(UInt64(write.origin))
    }
  }

  fileprivate mutating func shares(_ shares: [RestoredShare]) {
    count(shares.count)
    for share in shares {
      string(share.agent.name.string)
      signed(share.share)
    }
  }
}

extension ByteReader {
  fileprivate mutating func restored() throws(DecodingFailure) -> [RestoredWrite] {
    let count = try count("rewind.restored", bytesPerElement: 7, limit: Dot.operationsPerEntry)
    var writes: [RestoredWrite] = []
    writes.reserveCapacity(count)
    for _ in 0..<count {
      let part = try part()
      let value = try StateValue(from: &self)
      let agent = try agent("rewind.restored.agent")
      let timestamp = try timestamp("rewind.restored.timestamp")
      writes.append(
        RestoredWrite(
          part: part, value: value, agent: agent, timestamp: timestamp,
          origin: try revision("rewind.restored.origin")))
    }
    return writes
  }

  fileprivate mutating func shares() throws(DecodingFailure) -> [RestoredShare] {
    var shares: [RestoredShare] = []
    for _ in 0..<(try count("rewind.shares", bytesPerElement: 3)) {
      let agent = try agent("rewind.share.agent")
      shares.append(RestoredShare(agent: agent, share: try signed("rewind.share")))
    }
    return shares
  }
}
