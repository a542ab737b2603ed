import MoaiCRDT

/// Where the parts of a replica stand in its store. Numbers never change their meaning.
extension CheckpointRecord.Position {
  static let head = Self(table: 0, id: [0])
  static let settings = Self(table: 0, id: [1])
  static let overlay = Self(table: 0, id: [2])
  static let progress = Self(table: 0, id: [3])

  static func delta(_ last: UInt64) -> Self { Self(table: 1, id: .bigEndian(last)) }
  static func mirrored(_ key: StateKey) -> Self { Self(table: 2, id: Array(key.name.string.utf8)) }
  static func deletion(_ key: StateKey) -> Self { Self(table: 3, id: Array(key.name.string.utf8)) }
  static func kept(_ kept: KeptDelta) -> Self {
    Self(table: 4, id: .bigEndian(kept.delta.replica.rawValue) + .bigEndian(kept.delta.first))
  }
  static func doubtful(_ delta: ReplicaDelta) -> Self {
    Self(table: 5, id: .bigEndian(delta.replica.rawValue) + .bigEndian(delta.first))
  }
}

// MARK: - What is to be stored

extension ReplicaState {
  /// The changes since the last call.
  mutating func takeChanges() -> [StoredRecord] {
    if isOverlayChanged { changes[.overlay] = .some(overlay.encoded()) }
    isOverlayChanged = false
    let taken = changes.map { StoredRecord($0.key, $0.value) }.sorted { $0.position < $1.position }
    changes = [:]
    return taken
  }

  mutating func note(_ logged: LoggedDelta) {
    changes[.delta(logged.delta.last)] = .some(logged.encoded())
  }

  mutating func note(_ keys: Set<StateKey>) {
    for key in keys {
      var writer = ByteWriter()
      mirror.keys[key]?.encode(into: &writer)
      changes[.mirrored(key)] = .some(mirror.keys[key] == nil ? nil : writer.bytes)
      var deletion = ByteWriter()
      deletion.varint(UInt64(mirror.deletions[key] ?? 0))
      changes[.deletion(key)] = .some(mirror.deletions[key] == nil ? nil : deletion.bytes)
    }
    var writer = ByteWriter()
    writer.progress(Array(mirror.progress.values))
    changes[.progress] = .some(writer.bytes)
    noteHead()
  }

  mutating func noteOverlay() {
    isOverlayChanged = true
  }

  mutating func noteSettings() {
    var writer = ByteWriter()
    settings.encode(into: &writer)
    changes[.settings] = .some(writer.bytes)
  }

  mutating func noteHead() {
    var writer = ByteWriter(reservingCapacity: 128)
    writer.varint(0)
    writer.string(agent.name.string)
    writer.string(swarm.name.string)
    writer.fixed64(id.rawValue)
    writer.varint(next)
    writer.fixed64(lastHash)
    writer.timestamp(clock.last)
    writer.varint(accepted)
    writer.cursor(mirror.cursor)
    writer.varint(UInt64(mirror.deletionsForgotten))
    writer.count(formerIDs.count)
    for (id, last) in formerIDs.sorted(by: { $0.key < $1.key }) {
      writer.fixed64(id.rawValue)
      writer.varint(last)
    }
    writer.count(rights.count)
    for (key, right) in rights.sorted(by: { $0.key < $1.key }) {
      writer.string(key.name.string)
      writer.signed(right.down)
      writer.signed(right.up)
    }
    changes[.head] = .some(writer.bytes)
  }
}

extension ReplicaState.LoggedDelta {
  func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 128)
    writer.varint(UInt64(entered.map { $0 + 1 } ?? 0))
    delta.encode(into: &writer)
    return writer.bytes
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    let entered = try reader.optionalRevision("log.entered")
    self.init(try ReplicaDelta(from: &reader), entered: entered)
    try reader.finish("log")
  }
}

extension KeptDelta {
  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    delta.encode(into: &writer)
    writer.varint(UInt64(revision))
    refusal.encode(into: &writer)
    return writer.bytes
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    let delta = try ReplicaDelta(from: &reader)
    let revision = try reader.revision("kept.revision")
    self.init(delta: delta, revision: revision, refusal: try DeltaRefusal(from: &reader))
    try reader.finish("kept")
  }
}

// MARK: - Loading

extension ReplicaState {
  /// The replica that a store holds; nil: none yet.
  ///
  /// What it wrote since the overlay was last stored stands in its log, and is put over the mirror again.
  init?(_ records: [StoredRecord]) throws(DecodingFailure) {
    guard let first = records.first, first.position == .head, let bytes = first.bytes else {
      guard records.isEmpty else {
        throw DecodingFailure(.malformed("the head is missing"), field: "replica", offset: 0)
      }
      return nil
    }
    var reader = ByteReader(bytes)
    try reader.version("head.version")
    let agent = try reader.agent("head.agent")
    let swarm = try reader.swarm("head.swarm")
    self.init(agent: agent, swarm: swarm, id: ReplicaID(try reader.fixed64("head.id")))
    next = try reader.varint("head.next")
    guard 1...ReplicaDelta.greatestNumber ~= next else {
      throw reader.failure(.malformed("\(next) is no number of a write"), "head.next")
    }
    lastHash = try reader.fixed64("head.last_hash")
    clock = HybridLogicalClock(last: try reader.timestamp("head.clock"))
    accepted = try reader.varint("head.accepted")
    let cursor = try reader.cursor("head.cursor")
    let forgotten = try reader.revision("head.deletions_forgotten")
    for _ in 0..<(try reader.count("head.former_ids", bytesPerElement: 9)) {
      let former = ReplicaID(try reader.fixed64("head.former_id"))
      formerIDs[former] = try reader.varint("head.former_id")
    }
    for _ in 0..<(try reader.count("head.rights", bytesPerElement: 4)) {
      let key = try reader.key("head.right")
      let down = try reader.signed("head.right")
      rights[key] = CounterRight(down: down, up: try reader.signed("head.right"))
    }
    try reader.finish("head")
    try load(records.dropFirst(), cursor, forgotten)
    changes = [:]
    isOverlayChanged = false
  }

  private mutating func load(
    _ records: ArraySlice<StoredRecord>, _ cursor: Cursor?, _ forgotten: Revision
  ) throws(DecodingFailure) {
    var keys: [StateKey: MirroredKey] = [:]
    var deletions: [StateKey: Revision] = [:]
    var progress: [ReplicaID: ReplicaProgress] = [:]
    for record in records {
      var reader = ByteReader(record.bytes ?? [])
      switch (record.position.table, record.position) {
      case (_, .settings): settings = try SwarmSettings(from: &reader)
      case (_, .overlay): overlay = try Overlay(decoding: record.bytes ?? [])
      case (_, .progress): for one in try reader.progress() { progress[one.replica] = one }
      case (1, _): log.append(try LoggedDelta(from: &reader))
      case (2, _): keys[try record.key()] = try MirroredKey(from: &reader)
      case (3, _): deletions[try record.key()] = try reader.revision("deletion")
      case (4, _): kept.append(try KeptDelta(from: &reader))
      case (5, _): doubtful.append(try ReplicaDelta(from: &reader))
      case (let table, _): throw reader.failure(.malformed("\(table) is no table"), "replica.table")
      }
    }
    mirror = ReplicaMirror(
      cursor: cursor, keys: keys, deletions: deletions, deletionsForgotten: forgotten, progress: progress)
    for logged in log where !overlay.context.contains(Dot(id, logged.delta.last)) { apply(logged.delta) }
  }
}

extension StoredRecord {
  fileprivate func key() throws(DecodingFailure) -> StateKey {
    guard let name = String(validating: position.id, as: UTF8.self), let key = try? StateKey(name) else {
      throw DecodingFailure(.malformed("no key"), field: "replica.key", offset: 0)
    }
    return key
  }
}
