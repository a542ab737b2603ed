import MoaiCRDT

extension StateTable {
  /// The bytes of a key's record for a checkpoint (`docs/Encoding.md`, "Checkpoint records").
  func record(in slot: Int) -> [UInt8] {
    let row = keys[slot]
    let header = row.record.header
    var writer = ByteWriter(reservingCapacity: 128)
    writer.varint(UInt64(row.revision))
    writer.byte(header.type.tag)
    writer.byte(header.strategy.tag)
    writer.dot(header.created)
    writer.varint(UInt64(header.createdAt))
    writer.signed(header.version)
    writer.varint(UInt64(header.agent))
    writer.timestamp(header.timestamp)
    writer.count(header.contentSize)
    row.record.contents.encode(into: &writer)
    row.record.recent.encode(into: &writer)
    writer.varint(UInt64(row.record.touchedAt))
    return writer.bytes
  }

  /// Takes a record from a checkpoint into an empty table, and returns the revision that last touched it.
  mutating func load(
    _ key: StateKey, from reader: inout ByteReader, agents: Agents
  ) throws(DecodingFailure) -> Revision {
    let revision = try reader.revision("key.revision")
    let type = try reader.type("key.crdt_type")
    guard let strategy = try reader.optionalStrategy("key.strategy") else {
      throw reader.failure(.malformed("no strategy"), "key.strategy")
    }
    let created = try reader.dot("key.created")
    let createdAt = try reader.revision("key.created_at")
    let version = try reader.signed("key.version")
    let agent = try reader.agentIndex("key.agent", agents)
    let timestamp = try reader.timestamp("key.timestamp")
    let contentSize = try reader.count("key.content_size", bytesPerElement: 0, limit: Int(Int32.max))
    let contents = try KeyRecord.Contents(from: &reader, agents: agents)
    guard version >= 0, version <= revision, contents.canHold(type) else {
      throw reader.failure(.malformed("header and contents of the key do not belong together"), "key.contents")
    }
    guard contentSize == contents.size(agents) else {
      throw reader.failure(.malformed("not the size of the contents"), "key.content_size")
    }
    let recent = try RecentChanges(from: &reader)
    let touchedAt = try reader.revision("key.touched_at")
    guard revision <= touchedAt else {
      throw reader.failure(.malformed("changed at \(revision), touched at \(touchedAt)"), "key.touched_at")
    }
    let header = KeyRecord.Header(
      type: type, strategy: strategy, created: created, createdAt: createdAt, version: version, agent: agent,
      timestamp: timestamp,
      contentSize: contentSize)
    var record = KeyRecord(header: header, contents: contents, recent: recent)
    record.touchedAt = touchedAt
    let slot = keys.insert(record, id: key, revision: revision)
    order.insert(slot)
    return touchedAt
  }
}

extension KeyRecord.Contents {
  /// Whether these are contents of a key of this type.
  fileprivate func canHold(_ type: CRDTType) -> Bool {
    switch (self, type) {
    case (.deleted, _), (.counter, .counter), (.register, .register): true
    case (.parts(let parts), .set): parts.keys.allSatisfy { if case .element = $0 { true } else { false } }
    case (.parts(let parts), .map): parts.keys.allSatisfy { if case .field = $0 { true } else { false } }
    default: false
    }
  }

  /// What a key's header counts as the size of its contents. O(size).
  fileprivate func size(_ agents: Agents) -> Int {
    switch self {
    case .deleted, .counter: 0
    case .register(let writes): Part.whole.viewSize(showing: writes.shown(agents))
    case .parts(let parts): parts.reduce(0) { $0 + $1.key.viewSize(showing: $1.value.shown(agents)) }
    }
  }

  fileprivate func encode(into writer: inout ByteWriter) {
    switch self {
    case .deleted: writer.byte(0)
    case .counter(let counter):
      writer.byte(1)
      writer.count(counter.shares.count)
      for (agent, share) in counter.shares.sorted(by: { $0.key < $1.key }) {
        writer.varint(UInt64(agent))
        writer.signed(share)
      }
      writer.count(counter.rights.count)
      for (replica, right) in counter.rights.sorted(by: { $0.key < $1.key }) {
        writer.fixed64(replica.rawValue)
        writer.signed(right.down)
        writer.signed(right.up)
      }
      writer.bool(counter.touch != nil)
      if let touch = counter.touch {
        writer.varint(UInt64(touch.agent))
        writer.varint(UInt64(touch.at))
        writer.varint(UInt64(touch.byOthers))
      }
    case .register(let writes):
      writer.byte(2)
      writer.writes(writes)
    case .parts(let parts):
      writer.byte(3)
      writer.count(parts.count)
      for (part, writes) in parts.sorted(by: { $0.key.precedes($1.key) }) {
        writer.part(part)
        writer.writes(writes)
      }
    }
  }

  fileprivate init(from reader: inout ByteReader, agents: Agents) throws(DecodingFailure) {
    switch try reader.byte("key.contents") {
    case 0: self = .deleted
    case 1:
      var shares: [AgentIndex: Int64] = [:]
      for _ in 0..<(try reader.count("counter.shares", bytesPerElement: 2)) {
        let agent = try reader.agentIndex("counter.agent", agents)
        shares[agent] = try reader.signed("counter.share")
      }
      var rights: [ReplicaID: CounterRight] = [:]
      for _ in 0..<(try reader.count("counter.rights", bytesPerElement: 10)) {
        let replica = ReplicaID(try reader.fixed64("counter.right.replica"))
        let down = try reader.signed("counter.right.down")
        rights[replica] = CounterRight(down: down, up: try reader.signed("counter.right.up"))
      }
      var touch: CounterShares.Touch?
      if try reader.bool("counter.touch") {
        let agent = try reader.agentIndex("counter.touch", agents)
        let at = try reader.revision("counter.touch")
        touch = .init(agent: agent, at: at, byOthers: try reader.revision("counter.touch"))
      }
      guard let counter = CounterShares(shares, rights: rights, touch: touch) else {
        throw reader.failure(.malformed("the sum leaves 64 bits"), "counter.share")
      }
      self = .counter(counter)
    case 2: self = .register(try reader.writes(agents))
    case 3:
      let count = try reader.count("key.parts", bytesPerElement: 4)
      var parts: [Part: Writes] = [:]
      parts.reserveCapacity(count)
      for _ in 0..<count {
        let part = try reader.part()
        let writes = try reader.writes(agents)
        guard !writes.isEmpty else { throw reader.failure(.malformed("a part without a write"), "part") }
        parts[part] = writes
      }
      self = .parts(parts)
    case let tag: throw reader.failure(.malformed("\(tag) is no contents"), "key.contents")
    }
  }
}

extension RecentChanges {
  fileprivate func encode(into writer: inout ByteWriter) {
    writer.varint(UInt64(reach))
    writer.count(changes.count)
    for change in changes {
      writer.varint(UInt64(change.revision))
      writer.part(change.part)
      writer.bool(change.before != nil)
      change.before?.encode(into: &writer)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    self.init(since: try reader.revision("recent.reach"))
    for _ in 0..<(try reader.count("recent.changes", bytesPerElement: 3)) {
      let revision = try reader.revision("recent.revision")
      let part = try reader.part()
      let before = try reader.bool("recent.before") ? try StateValue(from: &reader) : nil
      append(Change(revision: revision, part: part, before: before))
    }
  }
}

extension ByteWriter {
  mutating func dot(_ dot: Dot) {
    fixed64(dot.replica.rawValue)
    varint(dot.number)
  }

  mutating func timestamp(_ timestamp: Timestamp) {
    signed(timestamp.milliseconds)
    varint(UInt64(timestamp.logical))
  }

  mutating func part(_ part: Part) {
    switch part {
    case .whole: byte(0)
    case .field(let name):
      byte(1)
      string(name.string)
    case .element(let value):
      byte(2)
      value.encode(into: &self)
    }
  }

  fileprivate mutating func writes(_ writes: Writes) {
    count(writes.count)
    for (dot, written) in writes {
      self.dot(dot)
      varint(UInt64(written.entered))
      varint(UInt64(written.agent))
      timestamp(written.timestamp)
      written.value.encode(into: &self)
    }
  }
}

extension ByteReader {
  mutating func dot(_ field: String) throws(DecodingFailure) -> Dot {
    let replica = try fixed64(field)
    return Dot(ReplicaID(replica), try varint(field))
  }

  mutating func timestamp(_ field: String) throws(DecodingFailure) -> Timestamp {
    let milliseconds = try signed(field)
    let logical = try varint(field)
    guard logical <= UInt64(UInt16.max) else { throw failure(.malformed("\(logical) is no logical time"), field) }
    return Timestamp(milliseconds: milliseconds, logical: UInt16(logical))
  }

  mutating func agentIndex(_ field: String, _ agents: Agents) throws(DecodingFailure) -> AgentIndex {
    let number = try varint(field)
    guard number < UInt64(agents.names.count) else { throw failure(.malformed("agent \(number) is unknown"), field) }
    return AgentIndex(number)
  }

  mutating func part() throws(DecodingFailure) -> Part {
    switch try byte("part") {
    case 0: .whole
    case 1: .field(UTF8String(try string("part.field")))
    case 2: .element(try StateValue(from: &self))
    case let tag: throw failure(.malformed("\(tag) is no part"), "part")
    }
  }

  fileprivate mutating func writes(_ agents: Agents) throws(DecodingFailure) -> Writes {
    var writes = Writes()
    for _ in 0..<(try count("writes", bytesPerElement: 13)) {
      let start = offset
      let dot = try dot("write.dot")
      if let last = writes.last?.dot, dot <= last {
        throw DecodingFailure(.notCanonical("writes ascend"), field: "write.dot", offset: start)
      }
      let entered = try revision("write.entered")
      let agent = try agentIndex("write.agent", agents)
      let timestamp = try timestamp("write.timestamp")
      writes.insert(
        dot, Written(value: try StateValue(from: &self), timestamp: timestamp, agent: agent, entered: entered))
    }
    return writes
  }
}
