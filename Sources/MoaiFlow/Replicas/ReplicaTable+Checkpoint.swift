import MoaiCRDT

extension ReplicaTable {
  /// The bytes of a replica's record for a checkpoint.
  func record(in slot: Int) -> [UInt8] {
    let record = replicas[slot].record
    var writer = ByteWriter(reservingCapacity: 64 + 17 * record.recent.count)
    writer.varint(UInt64(replicas[slot].revision))
    writer.varint(UInt64(record.owner))
    writer.varint(record.accepted)
    writer.fixed64(record.hash)
    writer.signed(record.lastSeen)
    writer.bool(record.isClosed)
    writer.bool(record.isOnlyAnnounced)
    writer.varint(record.announced)
    writer.count(record.recent.count)
    for delta in record.recent {
      writer.varint(delta.last)
      writer.fixed64(delta.hash)
    }
    writer.count(record.kept.count)
    for kept in record.kept {
      writer.blob(kept.delta.encoded())
      writer.varint(UInt64(kept.revision))
      kept.refusal.encode(into: &writer)
    }
    writer.count(record.rights.count)
    for key in record.rights { writer.string(key.name.string) }
    return writer.bytes
  }

  /// Takes a record from a checkpoint into an empty table.
  mutating func load(_ replica: ReplicaID, from reader: inout ByteReader, agents: Agents) throws(DecodingFailure) {
    let revision = try reader.revision("replica.revision")
    let owner = try reader.agentIndex("replica.owner", agents)
    let accepted = try reader.varint("replica.accepted")
    let hash = try reader.fixed64("replica.hash")
    var record = ReplicaRecord(owner: owner, lastSeen: try reader.signed("replica.last_seen"))
    record.accepted = accepted
    record.hash = hash
    record.isClosed = try reader.bool("replica.closed")
    record.isOnlyAnnounced = try reader.bool("replica.only_announced")
    record.announced = try reader.varint("replica.announced")
    for _ in 0..<(try reader.count("replica.recent", bytesPerElement: 9, limit: ReplicaRecord.recentLimit)) {
      let last = try reader.varint("replica.recent.last")
      record.recent.append(AcceptedDelta(last: last, hash: try reader.fixed64("replica.recent.hash")))
    }
    for _ in 0..<(try reader.count("replica.kept", bytesPerElement: 3, limit: ReplicaRecord.keptLimit)) {
      var deltaReader = ByteReader(try reader.blob("replica.kept.delta"))
      let delta = try ReplicaDelta(from: &deltaReader)
      try deltaReader.finish("replica.kept.delta")
      let entered = try reader.revision("replica.kept.revision")
      record.kept.append(KeptDelta(delta: delta, revision: entered, refusal: try DeltaRefusal(from: &reader)))
    }
    for _ in 0..<(try reader.count("replica.rights")) { record.rights.append(try reader.key("replica.rights.key")) }
    guard replicas.slot(of: replica) == nil else {
      throw reader.failure(.malformed("replica \(replica) stands twice"), "replica")
    }
    _ = replicas.insert(record, id: replica, revision: revision)
  }
}
