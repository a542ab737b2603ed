public import MoaiCRDT

/// What a replica has, in as few words as another one needs to say what it lacks.
public struct PeerSummary: Sendable {
  let swarm: SwarmName
  /// Whose it is.
  let replica: ReplicaID
  /// What it has of the swarm.
  let cursor: Cursor?
  /// Which offline writes it has seen.
  let context: CausalContext
}

/// What a replica lacked.
public struct PeerUpdate: Sendable {
  /// Nil: it has all that the other one has of the swarm.
  let mirror: MirrorUpdate?
  let overlay: Overlay
}

// MARK: - Binary form

extension PeerSummary {
  public func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.varint(0)
    writer.string(swarm.name.string)
    writer.fixed64(replica.rawValue)
    writer.cursor(cursor)
    context.encode(into: &writer)
    return writer.bytes
  }

  public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    try reader.version("summary.version")
    swarm = try reader.swarm("summary.swarm")
    replica = ReplicaID(try reader.fixed64("summary.replica"))
    cursor = try reader.cursor("summary.cursor")
    context = try CausalContext(from: &reader)
    try reader.finish("summary")
  }
}

extension PeerUpdate {
  public func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.varint(0)
    writer.bool(mirror != nil)
    mirror?.encode(into: &writer)
    overlay.encode(into: &writer)
    return writer.bytes
  }

  public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    try reader.version("update.version")
    mirror = try reader.bool("update.mirror") ? try MirrorUpdate(from: &reader) : nil
    overlay = try Overlay(from: &reader)
    try reader.finish("update")
  }
}

extension MirrorUpdate {
  func encode(into writer: inout ByteWriter) {
    writer.cursor(cursor)
    writer.bool(isWhole)
    writer.count(keys.count)
    for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
      writer.string(key.name.string)
      value.encode(into: &writer)
    }
    writer.count(deletions.count)
    for (key, revision) in deletions.sorted(by: { $0.key < $1.key }) {
      writer.string(key.name.string)
      writer.varint(UInt64(revision))
    }
    writer.progress(progress)
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    guard let cursor = try reader.cursor("mirror.cursor") else {
      throw reader.failure(.malformed("no cursor"), "mirror.cursor")
    }
    self.cursor = cursor
    isWhole = try reader.bool("mirror.whole")
    var keys: [StateKey: MirroredKey] = [:]
    for _ in 0..<(try reader.count("mirror.keys", bytesPerElement: 6)) {
      let key = try reader.key("mirror.key")
      keys[key] = try MirroredKey(from: &reader)
    }
    self.keys = keys
    var deletions: [StateKey: Revision] = [:]
    for _ in 0..<(try reader.count("mirror.deletions", bytesPerElement: 3)) {
      let key = try reader.key("mirror.deletion")
      deletions[key] = try reader.revision("mirror.deletion")
    }
    self.deletions = deletions
    progress = try reader.progress()
  }
}

extension MirroredKey {
  func encode(into writer: inout ByteWriter) {
    writer.byte(type.tag)
    writer.string(agent.name.string)
    writer.timestamp(timestamp)
    writer.varint(UInt64(revision))
    writer.signed(sum)
    writer.count(parts.count)
    for (part, value) in parts.sorted(by: { $0.key.precedes($1.key) }) {
      writer.part(part)
      value.value.encode(into: &writer)
      writer.string(value.origin.agent.name.string)
      writer.timestamp(value.origin.timestamp)
      writer.varint(UInt64(value.origin.revision))
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    type = try reader.type("mirror.crdt_type")
    agent = try reader.agent("mirror.agent")
    timestamp = try reader.timestamp("mirror.timestamp")
    revision = try reader.revision("mirror.revision")
    sum = try reader.signed("mirror.sum")
    for _ in 0..<(try reader.count("mirror.parts", bytesPerElement: 6)) {
      let part = try reader.part()
      guard part.type == type else { throw reader.failure(.malformed("a part of another type"), "mirror.part") }
      let value = try StateValue(from: &reader)
      let agent = try reader.agent("mirror.part.agent")
      let timestamp = try reader.timestamp("mirror.part.timestamp")
      let origin = WriteOrigin(
        agent: agent, timestamp: timestamp, revision: try reader.revision("mirror.part.revision"))
      parts[part] = MirroredPart(value: value, origin: origin)
    }
  }
}

extension ByteWriter {
  mutating func cursor(_ cursor: Cursor?) {
    bool(cursor != nil)
    guard let cursor else { return }
    fixed64(cursor.epoch.rawValue)
    varint(UInt64(cursor.revision))
  }

  mutating func progress(_ progress: [ReplicaProgress]) {
    count(progress.count)
    for one in progress.sorted(by: { $0.replica < $1.replica }) {
      fixed64(one.replica.rawValue)
      varint(one.accepted)
      varint(one.announced)
      bool(one.isClosed)
    }
  }
}

extension ByteReader {
  /// The version of the form; only 0 is known, which may still change.
  mutating func version(_ field: String) throws(DecodingFailure) {
    let version = try varint(field)
    guard version == 0 else { throw failure(.unknownVersion(version), field) }
  }

  mutating func cursor(_ field: String) throws(DecodingFailure) -> Cursor? {
    guard try bool(field) else { return nil }
    let epoch = Epoch(try fixed64(field))
    return Cursor(epoch: epoch, revision: try revision(field))
  }

  mutating func progress() throws(DecodingFailure) -> [ReplicaProgress] {
    var progress: [ReplicaProgress] = []
    for _ in 0..<(try count("progress", bytesPerElement: 11)) {
      let replica = ReplicaID(try fixed64("progress.replica"))
      let accepted = try varint("progress.accepted")
      let announced = try varint("progress.announced")
      progress.append(
        ReplicaProgress(
          replica: replica, accepted: accepted, announced: announced, isClosed: try bool("progress.closed")))
    }
    return progress
  }

  mutating func swarm(_ field: String) throws(DecodingFailure) -> SwarmName {
    let start = offset
    let name = try string(field, limit: 63)
    do {
      return try SwarmName(name)
    } catch {
      throw DecodingFailure(.malformed(error.problem), field: field, offset: start)
    }
  }
}
