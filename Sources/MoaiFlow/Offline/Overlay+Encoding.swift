public import MoaiCRDT

extension StateKey: BinaryValue {
  public func encode(after previous: StateKey?, into writer: inout ByteWriter) {
    name.encode(after: previous?.name, into: &writer)
  }

  public init(
    after previous: StateKey?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    let start = reader.offset
    let text = try UTF8String(after: previous?.name, from: &reader, field: field, limits: limits)
    do {
      try self.init(text.string)
    } catch {
      throw DecodingFailure(.malformed(error.problem), field: field, offset: start)
    }
  }
}

extension OverlayPlace: BinaryValue {
  func encode(after previous: OverlayPlace?, into writer: inout ByteWriter) {
    switch self {
    case .creation: writer.byte(0)
    case .deletion: writer.byte(1)
    case .count: writer.byte(2)
    case .part(.whole): writer.byte(3)
    case .part(.field(let name)):
      writer.byte(4)
      var before: UTF8String?
      if case .part(.field(let name))? = previous { before = name }
      name.encode(after: before, into: &writer)
    case .part(.element(let value)):
      writer.byte(5)
      var before: StateValue?
      if case .part(.element(let value))? = previous { before = value }
      value.encode(after: before, into: &writer)
    }
  }

  init(
    after previous: OverlayPlace?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    switch try reader.byte(field) {
    case 0: self = .creation
    case 1: self = .deletion
    case 2: self = .count
    case 3: self = .part(.whole)
    case 4:
      var before: UTF8String?
      if case .part(.field(let name))? = previous { before = name }
      self = .part(.field(try UTF8String(after: before, from: &reader, field: field, limits: limits)))
    case 5:
      var before: StateValue?
      if case .part(.element(let value))? = previous { before = value }
      self = .part(.element(try StateValue(after: before, from: &reader, limits: limits)))
    case let tag: throw reader.failure(.malformed("\(tag) is no place"), field)
    }
  }
}

extension StateValue {
  /// Texts follow similar texts; other values stand as they are.
  fileprivate func encode(after previous: StateValue?, into writer: inout ByteWriter) {
    guard case .string(let text) = self else {
      writer.byte(0)
      return encode(into: &writer)
    }
    writer.byte(1)
    var before: UTF8String?
    if case .string(let text)? = previous { before = text }
    text.encode(after: before, into: &writer)
  }

  fileprivate init(
    after previous: StateValue?, from reader: inout ByteReader, limits: DecodingLimits
  ) throws(DecodingFailure) {
    switch try reader.byte("value") {
    case 0:
      self = try StateValue(from: &reader)
      if case .string = self { throw reader.failure(.notCanonical("a text that follows no text"), "value") }
    case 1:
      var before: UTF8String?
      if case .string(let text)? = previous { before = text }
      self = .string(try UTF8String(after: before, from: &reader, field: "value", limits: limits))
    case let tag: throw reader.failure(.malformed("\(tag) is no value"), "value")
    }
  }
}

/// The first byte of an encoded write: its content, and what it shares with the one before.
private struct Head {
  static let content: UInt8 = 0b0000_0111
  static let sameAgent: UInt8 = 0b0000_1000
  static let sameBase: UInt8 = 0b0001_0000
  static let sameEpoch: UInt8 = 0b0010_0000
  static let noBase: UInt8 = 0b0100_0000
}

extension OverlayWrite: BinaryValue {
  func encode(after previous: OverlayWrite?, into writer: inout ByteWriter) {
    var head: UInt8 =
      switch content {
      case .removed: 0
      case .value: 1
      case .count: 2
      case .created: 3
      case .deleted: 4
      }
    if agent == previous?.agent { head |= Head.sameAgent }
    if let previous, previous.base == base {
      head |= Head.sameBase
    } else if base == nil {
      head |= Head.noBase
    } else if base?.epoch == previous?.base?.epoch {
      head |= Head.sameEpoch
    }
    writer.byte(head)
    if head & Head.sameAgent == 0 { writer.text(agent.name.string, after: previous?.agent.name.string) }
    writer.signed(timestamp.milliseconds &- (previous?.timestamp.milliseconds ?? 0))
    writer.varint(UInt64(timestamp.logical))
    if head & (Head.sameBase | Head.noBase) == 0, let base {
      if head & Head.sameEpoch == 0 { writer.fixed64(base.epoch.rawValue) }
      writer.varint(UInt64(base.revision))
    }
    switch content {
    case .removed, .deleted: break
    case .value(let value): value.encode(after: previous?.value, into: &writer)
    case .count(let amount): writer.signed(amount)
    case .created(let type, let strategy):
      writer.byte(type.tag)
      writer.byte(strategy.tag)
    }
  }

  init(
    after previous: OverlayWrite?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    let start = reader.offset
    let head = try reader.byte("write")
    let sameAgent = head & Head.sameAgent != 0
    let sameBase = head & Head.sameBase != 0
    let sameEpoch = head & Head.sameEpoch != 0
    let noBase = head & Head.noBase != 0
    guard head < 0x80, !sameAgent && !sameBase && !sameEpoch || previous != nil else {
      throw DecodingFailure(.malformed("\(head) begins no write"), field: "write", offset: start)
    }
    let agent =
      sameAgent
      ? previous?.agent : try reader.agent("write.agent", after: previous?.agent.name.string, limits)
    let (milliseconds, _) = try reader.signed("write.timestamp").addingReportingOverflow(
      previous?.timestamp.milliseconds ?? 0)
    let logical = try reader.varint("write.timestamp")
    var base: Cursor?
    if sameBase {
      base = previous?.base
    } else if !noBase {
      let epoch = sameEpoch ? previous?.base?.epoch : Epoch(try reader.fixed64("write.base"))
      let revision = try reader.revision("write.base")
      base = epoch.map { Cursor(epoch: $0, revision: revision) }
    }
    let content: Content
    switch head & Head.content {
    case 0: content = .removed
    case 1: content = .value(try StateValue(after: previous?.value, from: &reader, limits: limits))
    case 2: content = .count(try reader.signed("write.count"))
    case 3:
      let type = try reader.type("write.crdt_type")
      guard let strategy = try reader.optionalStrategy("write.strategy") else {
        throw reader.failure(.malformed("no strategy"), "write.strategy")
      }
      content = .created(type, strategy)
    case 4: content = .deleted
    case let tag: throw reader.failure(.malformed("\(tag) is no content"), "write")
    }
    guard let agent, logical <= UInt64(UInt16.max), sameEpoch == false || base != nil else {
      throw DecodingFailure(.malformed("a write that follows no other"), field: "write", offset: start)
    }
    self.init(
      content: content, agent: agent, timestamp: Timestamp(milliseconds: milliseconds, logical: UInt16(logical)),
      base: base)
    // One write has one encoding: the shortest.
    var writer = ByteWriter()
    encode(after: previous, into: &writer)
    guard writer.bytes.first == head else {
      throw DecodingFailure(.notCanonical("what is shared is left out"), field: "write", offset: start)
    }
  }
}

extension ByteReader {
  fileprivate mutating func agent(
    _ field: String, after previous: String?, _ limits: DecodingLimits
  ) throws(DecodingFailure) -> AgentID {
    let start = offset
    let name = try text(field, after: previous, limit: 128, sharedLimit: limits.bytes)
    do {
      return try AgentID(author: name)
    } catch {
      throw DecodingFailure(.malformed(error.problem), field: field, offset: start)
    }
  }
}
