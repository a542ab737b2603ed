import MoaiCRDT
import MoaiFlow

/// The records of a checkpoint, in the order in which an engine gives them.
///
/// The first byte says how the input goes on: with an even one the header is a part of it as it is, with an odd one only
/// its fields are, and the counts are made to fit, so that more of what is made up gets behind them. Then the revision,
/// and of each record its table, its id and its bytes. A record of table 0 is an entry, applied after loading.
package enum CheckpointTarget: FuzzTarget {
  package static let name = "checkpoint"
  package static let words = EntryTarget.words

  package static func check(_ input: [UInt8]) throws(Finding) -> Bool {
    var parts = InputParts(input)
    let isMade = parts.byte() & 1 == 1
    var header = isMade ? [] : parts.part()
    let fields = isMade ? (0..<6).map { _ in parts.number() } : []
    // Entries follow, and revisions end at 2^47.
    let revision = Revision(parts.number() & (1 << 46 - 1))
    var records: [CheckpointRecord.Position: [UInt8]] = [:]
    var entries: [[UInt8]] = []
    while !parts.isAtEnd {
      let table = parts.byte()
      let id = parts.part()
      let bytes = parts.part()
      if table == 0 { entries.append(bytes) } else { records[.init(table: table, id: id)] = bytes }
    }
    if isMade { header = self.header(fields, records.keys) }

    var loader = CheckpointLoader(epoch: SampleSwarm.epoch)
    var state: SwarmState
    do {
      for (position, bytes) in records.sorted(by: { $0.key.precedes($1.key) }) {
        try loader.take(CheckpointRecord(table: position.table, id: position.id, bytes: bytes))
      }
      state = try loader.finish(CheckpointHeader(revision: revision, header: header))
    } catch {
      return false
    }
    for entry in entries { _ = try? state.apply(bytes: entry, at: state.time) }
    let keys = records.keys.filter { $0.table == 2 }
      .compactMap { try? StateKey(String(decoding: $0.id, as: UTF8.self)) }
    try StateProbe.check(state, keys: keys.sorted())
    return true
  }

  /// A header with these fields that counts what is there, as `SwarmState.prepareCheckpoint(keepingPrevious:)` writes
  /// it. A test fails if it does not.
  private static func header(_ fields: [UInt64], _ records: some Sequence<CheckpointRecord.Position>) -> [UInt8] {
    let tables = records.map(\.table)
    var writer = ByteWriter()
    writer.varint(0)
    writer.signed(Int64(bitPattern: fields[0]))
    writer.signed(Int64(bitPattern: fields[1]))
    writer.varint(fields[2])
    writer.fixed64(fields[3])
    for kinds in [[1], [2], [4, 6]] as [[UInt8]] { writer.count(tables.count { kinds.contains($0) }) }
    writer.varint(fields[4])
    writer.varint(fields[5])
    writer.count(tables.count { $0 == 5 })
    writer.count(tables.count { $0 == 7 })
    return writer.bytes
  }

  private static func input(_ state: SwarmState, isMade: Bool, entries: [JournalEntry] = []) -> [UInt8] {
    let checkpoint = state.wholeCheckpoint()
    var input: [UInt8] = isMade ? [1] : [0]
    if isMade {
      for field in [UInt64(state.time), UInt64(state.time), 5, state.chain, 0, 0] {
        input += InputParts.number(field)
      }
    } else {
      input += InputParts.part(checkpoint.header)
    }
    input += InputParts.number(UInt64(checkpoint.revision))
    for record in checkpoint.upserted {
      input += [record.position.table] + InputParts.part(record.position.id) + InputParts.part(record.bytes)
    }
    for entry in entries { input += [0, 0, 0] + InputParts.part(entry.payload) }
    return input
  }

  package static func seeds() async throws -> [[UInt8]] {
    let sample = try await SampleSwarm()
    var seeds: [[UInt8]] = []
    for length in [0, 1, 3, 8, 12, 15, sample.entries.count] {
      let state = try SwarmState(epoch: SampleSwarm.epoch).applying(Array(sample.entries.prefix(length)))
      for isMade in [false, true] {
        seeds.append(input(state, isMade: isMade, entries: Array(sample.entries.dropFirst(length).prefix(2))))
      }
    }
    return seeds
  }
}
