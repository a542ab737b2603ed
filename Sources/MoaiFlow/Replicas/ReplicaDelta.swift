public import MoaiCRDT

/// What an offline replica wrote in one step, in the form in which it enters the journal (rule §5.6).
///
/// A replica makes it once, keeps it, and sends it as often as it takes; nobody changes it on the way. Its writes have
/// the numbers `first` to `last`: each key takes one for its creation and one for each operation, whether or not they
/// are used, so that a number never depends on what the journal knows.
public struct ReplicaDelta: Sendable, Hashable {
  public let replica: ReplicaID
  /// The number of its first write.
  public let first: UInt64
  /// What the replica had of the swarm when it wrote; nil: nothing yet.
  public let base: Cursor?
  /// The writes of other replicas that it had met, and that the journal did not have at `base`.
  public let seen: VectorClock<ReplicaID>
  /// The hash of the delta before; 0: this is the first. A copied replica that writes on breaks the chain.
  public let previousHash: UInt64
  /// The replica's clock.
  public let timestamp: Timestamp
  /// Neither bases nor conditions: `base` and `seen` are those of all of them.
  public let writes: [KeyWrite]

  /// Operations in one delta at most, each key counted as one more.
  public static let numberLimit = StatePlanner.operationLimit

  public init(
    replica: ReplicaID, first: UInt64, base: Cursor?, seen: VectorClock<ReplicaID>, previousHash: UInt64,
    timestamp: Timestamp, writes: [KeyWrite]
  ) {
    self.replica = replica
    self.first = first
    self.base = base
    self.seen = seen
    self.previousHash = previousHash
    self.timestamp = timestamp
    self.writes = writes
  }

  /// How many numbers it takes; at least 1.
  var numbers: UInt64 { writes.reduce(0) { $0 + $1.numbers } }
  public var last: UInt64 { first + numbers - 1 }

  /// The revision that its writes have as base in a journal: what was written against another epoch proves to have seen
  /// nothing of this one.
  func base(in epoch: Epoch) -> Revision {
    base.map { $0.epoch == epoch ? $0.revision : 0 } ?? 0
  }

  /// Identifies the delta and all before it.
  public var hash: UInt64 { encoded().stableHash }
}

extension ReplicaDelta {
  /// The writes with their base, as they apply.
  func writes(at base: Revision) -> [KeyWrite] {
    writes.map { write in
      KeyWrite(
        key: write.key, content: write.content, base: base, declaredType: write.declaredType, strategy: write.strategy)
    }
  }
}

extension KeyWrite {
  /// The numbers that the write takes in a replica's delta.
  var numbers: UInt64 { UInt64(operations.count) + 1 }
}

// MARK: - Binary form

extension ReplicaDelta {
  package func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 96)
    encode(into: &writer)
    return writer.bytes
  }

  package func encode(into writer: inout ByteWriter) {
    writer.fixed64(replica.rawValue)
    writer.varint(first)
    writer.bool(base != nil)
    if let base {
      writer.fixed64(base.epoch.rawValue)
      writer.varint(UInt64(base.revision))
    }
    writer.count(seen.count)
    for entry in seen.entries {
      writer.fixed64(entry.id.rawValue)
      writer.varint(entry.number)
    }
    writer.fixed64(previousHash)
    writer.timestamp(timestamp)
    writer.count(writes.count)
    for write in writes { write.encode(into: &writer) }
  }

  package init(from reader: inout ByteReader) throws(DecodingFailure) {
    let replica = ReplicaID(try reader.fixed64("delta.replica"))
    let first = try reader.varint("delta.first")
    guard 1...ReplicaDelta.greatestNumber ~= first else {
      throw reader.failure(.malformed("\(first) is no number of a write"), "delta.first")
    }
    var base: Cursor?
    if try reader.bool("delta.base") {
      let epoch = Epoch(try reader.fixed64("delta.base"))
      base = Cursor(epoch: epoch, revision: try reader.revision("delta.base"))
    }
    var seen: [(ReplicaID, UInt64)] = []
    for _ in 0..<(try reader.count("delta.seen", bytesPerElement: 9)) {
      let id = ReplicaID(try reader.fixed64("delta.seen"))
      let number = try reader.varint("delta.seen")
      guard number > 0, seen.last.map({ $0.0 < id }) ?? true else {
        throw reader.failure(.notCanonical("replicas in order, each with a number"), "delta.seen")
      }
      seen.append((id, number))
    }
    let hash = try reader.fixed64("delta.previous_hash")
    let timestamp = try reader.timestamp("delta.timestamp")
    var writes: [KeyWrite] = []
    var numbers: UInt64 = 0
    for _ in 0..<(try reader.count("delta.writes", bytesPerElement: 4, limit: ReplicaDelta.numberLimit)) {
      let write = try KeyWrite(from: &reader)
      guard write.base == nil, write.condition == nil else {
        throw reader.failure(.malformed("a write of a delta has no base of its own"), "delta.writes")
      }
      numbers += write.numbers
      guard numbers <= UInt64(ReplicaDelta.numberLimit) else {
        throw reader.failure(.overLimit("more than \(ReplicaDelta.numberLimit) operations"), "delta.writes")
      }
      writes.append(write)
    }
    guard !writes.isEmpty else { throw reader.failure(.malformed("a delta without writes"), "delta.writes") }
    self.init(
      replica: replica, first: first, base: base, seen: VectorClock(seen), previousHash: hash, timestamp: timestamp,
      writes: writes)
  }

  /// Leaves room behind the last number of any delta.
  static let greatestNumber = UInt64(1) << 62
}
