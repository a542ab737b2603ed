import MoaiCRDT

extension AgentTable {
  /// The bytes of an agent's record for a checkpoint.
  func record(in slot: Int) -> [UInt8] {
    let record = rows[slot].record
    var writer = ByteWriter(reservingCapacity: 64)
    writer.varint(UInt64(rows[slot].revision))
    writer.varint(UInt64(record.incarnation))
    writer.signed(record.registeredAt)
    writer.bool(record.isRegistered)
    record.profile.encode(into: &writer)
    writer.bool(record.failure != nil)
    if let failure = record.failure {
      writer.varint(UInt64(failure.revision))
      writer.signed(failure.time)
      writer.optional(failure.lastSign)
    }
    return writer.bytes
  }

  /// Takes a record from a checkpoint into an empty table; returns the revision that last changed it.
  mutating func load(_ agent: AgentID, from reader: inout ByteReader) throws(DecodingFailure) -> Revision {
    let revision = try reader.revision("agent.revision")
    let incarnation = try reader.revision("agent.incarnation")
    guard 1...revision ~= incarnation else {
      throw reader.failure(.malformed("an incarnation of revision \(incarnation)"), "agent.incarnation")
    }
    var record = AgentRecord(incarnation: incarnation, registeredAt: try reader.signed("agent.registered_at"))
    record.isRegistered = try reader.bool("agent.registered")
    record.profile = try AgentProfile(from: &reader)
    if try reader.bool("agent.failed") {
      let entry = try reader.revision("agent.failed.revision")
      let time = try reader.signed("agent.failed.time")
      record.failure = AgentFailure(revision: entry, time: time, lastSign: try reader.optionalSigned("agent.last_sign"))
    }
    guard load(record, of: agent, revision: revision) else {
      throw reader.failure(.malformed("agent \(agent) stands twice"), "agent")
    }
    return revision
  }
}
