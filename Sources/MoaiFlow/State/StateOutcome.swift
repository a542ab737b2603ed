import MoaiCRDT

/// The answer to a state command that was applied: one result per key, in the order of the command.
public struct StateOutcome: Sendable, Hashable {
  /// Nearly every command writes one key; its result needs no array, neither here nor where outcomes are remembered.
  private enum Results: Sendable, Hashable {
    case one(KeyResult)
    /// Never exactly one.
    case many([KeyResult])
  }

  private let results: Results

  init(_ result: KeyResult) {
    results = .one(result)
  }

  init(keys: [KeyResult]) {
    results = keys.count == 1 ? .one(keys[0]) : .many(keys)
  }

  public var keys: [KeyResult] {
    switch results {
    case .one(let key): [key]
    case .many(let keys): keys
    }
  }

  func forEachKey(_ body: (KeyResult) -> Void) {
    switch results {
    case .one(let key): body(key)
    case .many(let keys): keys.forEach(body)
    }
  }
}

/// What a write did to one key.
public struct KeyResult: Sendable, Hashable {
  public let key: StateKey
  /// The revision of the last entry that changed the key visibly; 0: the key is absent.
  public let revision: Revision
  /// How many entries changed the key in this incarnation.
  public let version: Int64
  /// False when the value was there already: nothing changed, nobody is told (rule §4.7).
  public let changed: Bool
  /// Whose writes, newer than the writer's base, this write now hides; at most 16 (rule §4.4).
  public let overwrote: [Overwritten]

  /// Whether the key came into being.
  public var isCreation: Bool { changed && version == 1 }
}

/// A write that the writer had not seen and whose value is no longer shown.
public struct Overwritten: Sendable, Hashable {
  public let agent: AgentID
  public let revision: Revision
}

/// Why a state command changed nothing.
@nonexhaustive
public enum StateRefusal: Error, Sendable, Hashable {
  /// `if_revision` does not hold; the key's revision is `current` (0: absent).
  case conditionFailed(StateKey, current: Revision)
  /// The key holds a `holds`, the write is for a `asked`.
  case typeMismatch(StateKey, holds: CRDTType, asked: CRDTType)
  /// The key's strategy was fixed by a policy or its first write.
  case strategyMismatch(StateKey, holds: KeyStrategy)
  /// The counter, or this agent's share of it, would leave the 64-bit integers.
  case counterOverflow(StateKey)
  /// The value would take more than `limit` bytes of canonical JSON.
  case valueTooLarge(StateKey, limit: Int)
  /// More than `limit` writes that have not seen each other stand side by side; a write with a newer base joins them.
  case tooManySiblings(StateKey, limit: Int)
  /// The key's policy does not let this agent write it.
  case notAllowed(StateKey, AgentID)
  /// The base is greater than any revision before the entry.
  case futureBase(StateKey, Revision)
  /// An entry touched the key after the rewind was planned.
  case changedSincePlanned(StateKey)
  /// The base lies before the horizon.
  case baseTrimmed(StateKey, base: Revision, horizon: Revision)
  /// The counter would cross a bound of its policy, or touch what is reserved for replicas that are away (rule §4.6).
  case boundExceeded(StateKey, sum: Int64, CounterBounds, reserved: CounterRight)
}

extension StateRefusal {
  public var key: StateKey {
    switch self {
    case .conditionFailed(let key, _), .typeMismatch(let key, _, _), .strategyMismatch(let key, _),
      .counterOverflow(let key), .valueTooLarge(let key, _), .tooManySiblings(let key, _), .notAllowed(let key, _),
      .futureBase(let key, _), .changedSincePlanned(let key), .baseTrimmed(let key, _, _),
      .boundExceeded(let key, _, _, _):
      key
    }
  }
}

extension StateRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .conditionFailed(let key, 0): "\(key): the condition failed, the key is absent"
    case .conditionFailed(let key, let current):
      "\(key): the condition failed, the key is at revision \(current); read it and try again"
    case .typeMismatch(let key, let holds, let asked):
      "\(key): it holds a \(holds.rawValue), this writes a \(asked.rawValue); a key's type is fixed when it is made"
    case .strategyMismatch(let key, let holds): "\(key): its strategy is \(holds.rawValue) already"
    case .counterOverflow(let key): "\(key): the counter would leave the 64-bit integers"
    case .valueTooLarge(let key, let limit): "\(key): the value would take more than \(limit) bytes"
    case .tooManySiblings(let key, let limit):
      "\(key): more than \(limit) writes that have not seen each other; read the key and write with that base"
    case .notAllowed(let key, let agent): "\(key): its policy does not let \(agent) write it"
    case .futureBase(let key, let base): "\(key): the base \(base) is in the future"
    case .changedSincePlanned(let key): "\(key): it changed while the rewind was planned; try again"
    case .baseTrimmed(let key, let base, let horizon):
      "\(key): the base \(base) lies before the horizon \(horizon); read the key and write with that base"
    case .boundExceeded(let key, let sum, let bounds, let reserved):
      "\(key): the counter would be \(sum), allowed is \(bounds)\(reserved.isEmpty ? "" : " and \(reserved) is reserved")"
    }
  }
}

// MARK: - Binary form, for the remembered outcomes in a checkpoint

extension StateOutcome {
  func encode(into writer: inout ByteWriter) {
    writer.count(keys.count)
    for key in keys {
      writer.string(key.key.name.string)
      writer.varint(UInt64(key.revision))
      writer.signed(key.version)
      writer.bool(key.changed)
      writer.count(key.overwrote.count)
      for lost in key.overwrote {
        writer.string(lost.agent.name.string)
        writer.varint(UInt64(lost.revision))
      }
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let count = try reader.count("outcome.keys", bytesPerElement: 5)
    var keys: [KeyResult] = []
    keys.reserveCapacity(count)
    for _ in 0..<count {
      let key = try reader.key("outcome.key")
      let revision = try reader.revision("outcome.key_revision")
      let version = try reader.signed("outcome.version")
      let changed = try reader.bool("outcome.changed")
      var overwrote: [Overwritten] = []
      for _ in 0..<(try reader.count("outcome.overwrote", bytesPerElement: 2)) {
        let agent = try reader.agent("outcome.overwrote.agent")
        overwrote.append(Overwritten(agent: agent, revision: try reader.revision("outcome.overwrote.revision")))
      }
      keys.append(
        KeyResult(key: key, revision: revision, version: version, changed: changed, overwrote: overwrote))
    }
    self.init(keys: keys)
  }
}

extension StateRefusal {
  func encode(into writer: inout ByteWriter) {
    writer.string(key.name.string)
    switch self {
    case .conditionFailed(_, let current):
      writer.byte(1)
      writer.varint(UInt64(current))
    case .typeMismatch(_, let holds, let asked):
      writer.byte(2)
      writer.byte(holds.tag)
      writer.byte(asked.tag)
    case .strategyMismatch(_, let holds):
      writer.byte(3)
      writer.byte(holds.tag)
    case .counterOverflow: writer.byte(4)
    case .valueTooLarge(_, let limit):
      writer.byte(5)
      writer.count(limit)
    case .tooManySiblings(_, let limit):
      writer.byte(6)
      writer.count(limit)
    case .notAllowed(_, let agent):
      writer.byte(7)
      writer.string(agent.name.string)
    case .futureBase(_, let base):
      writer.byte(8)
      writer.varint(UInt64(base))
    case .changedSincePlanned: writer.byte(16)
    case .baseTrimmed(_, let base, let horizon):
      writer.byte(9)
      writer.varint(UInt64(base))
      writer.varint(UInt64(horizon))
    case .boundExceeded(_, let sum, let bounds, let reserved):
      writer.byte(10)
      writer.signed(sum)
      writer.optional(bounds.minimum)
      writer.optional(bounds.maximum)
      writer.signed(reserved.down)
      writer.signed(reserved.up)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let key = try reader.key("refusal.key")
    switch try reader.byte("refusal") {
    case 1: self = .conditionFailed(key, current: try reader.revision("refusal.current"))
    case 2: self = .typeMismatch(key, holds: try reader.type("refusal.holds"), asked: try reader.type("refusal.asked"))
    case 3:
      guard let strategy = try reader.optionalStrategy("refusal.strategy") else {
        throw reader.failure(.malformed("no strategy"), "refusal.strategy")
      }
      self = .strategyMismatch(key, holds: strategy)
    case 4: self = .counterOverflow(key)
    case 5: self = .valueTooLarge(key, limit: Int(try reader.revision("refusal.limit")))
    case 6: self = .tooManySiblings(key, limit: Int(try reader.revision("refusal.limit")))
    case 7: self = .notAllowed(key, try reader.agent("refusal.agent"))
    case 8: self = .futureBase(key, try reader.revision("refusal.base"))
    case 16: self = .changedSincePlanned(key)
    case 9:
      let base = try reader.revision("refusal.base")
      self = .baseTrimmed(key, base: base, horizon: try reader.revision("refusal.horizon"))
    case 10:
      let sum = try reader.signed("refusal.sum")
      let minimum = try reader.optionalSigned("refusal.min")
      let bounds = CounterBounds(minimum: minimum, maximum: try reader.optionalSigned("refusal.max"))
      let down = try reader.signed("refusal.reserved")
      self = .boundExceeded(
        key, sum: sum, bounds, reserved: CounterRight(down: down, up: try reader.signed("refusal.reserved")))
    case let tag: throw reader.failure(.malformed("\(tag) is no refusal"), "refusal")
    }
  }
}
