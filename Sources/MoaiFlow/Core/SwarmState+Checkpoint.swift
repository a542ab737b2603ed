import MoaiCRDT

/// The tables of a checkpoint. Numbers never change their meaning.
private enum CheckpointTable {
  static let agents: UInt8 = 1
  static let keys: UInt8 = 2
  static let settings: UInt8 = 3
  static let commands: UInt8 = 4
}

/// A checkpoint about to be saved, and what to do if saving fails.
struct PreparedCheckpoint {
  let update: CheckpointUpdate
  fileprivate let slots: [Int]
  fileprivate let agentsBefore: Int
  fileprivate let commands: RememberedCommands.Changes
  fileprivate let settingsChanged: Bool
}

extension SwarmState {
  /// The records changed since the last call, as of now. O(what changed).
  mutating func prepareCheckpoint() -> PreparedCheckpoint {
    var upserted: [CheckpointRecord] = []
    let agentsBefore = agents.checkpointed
    for index in agentsBefore..<agents.names.count {
      upserted.append(
        CheckpointRecord(
          table: CheckpointTable.agents, id: .bigEndian(UInt32(index)),
          bytes: Array(agents.names[index].name.string.utf8)))
    }
    agents.checkpointed = agents.names.count
    let slots = state.keys.takeDirty()
    for slot in slots {
      upserted.append(
        CheckpointRecord(
          table: CheckpointTable.keys, id: Array(state.keys[slot].id.name.string.utf8), bytes: state.record(in: slot)))
    }
    if settings.isDirty {
      var writer = ByteWriter()
      settings.settings.encode(into: &writer)
      upserted.append(CheckpointRecord(table: CheckpointTable.settings, id: [0], bytes: writer.bytes))
    }
    let settingsChanged = settings.isDirty
    settings.isDirty = false
    let commands = remembered.takeChanges()
    for (key, command) in commands.added {
      upserted.append(CheckpointRecord(table: CheckpointTable.commands, id: key.bytes, bytes: command.encoded()))
    }
    let removed = commands.removed.map { CheckpointRecord.Position(table: CheckpointTable.commands, id: $0.bytes) }
    var header = ByteWriter()
    header.varint(0)
    header.signed(time)
    header.timestamp(lastTimestamp)
    header.fixed64(chain)
    header.count(agents.names.count)
    header.count(state.keys.count)
    header.count(remembered.count)
    return PreparedCheckpoint(
      update: CheckpointUpdate(revision: revision, header: header.bytes, upserted: upserted, removed: removed),
      slots: slots, agentsBefore: agentsBefore, commands: commands, settingsChanged: settingsChanged)
  }

  /// Takes back a checkpoint that was not saved: its records belong into the next one.
  mutating func abandon(_ checkpoint: PreparedCheckpoint) {
    agents.checkpointed = min(agents.checkpointed, checkpoint.agentsBefore)
    for slot in checkpoint.slots { state.keys.markDirty(slot) }
    settings.isDirty = settings.isDirty || checkpoint.settingsChanged
    remembered.restore(checkpoint.commands)
  }

  /// The state of a journal's newest checkpoint, or an empty one.
  ///
  /// - Throws: `.corrupt` naming the checkpoint's revision if a record cannot be read.
  static func loading(from journal: any Journal, pageSize: Int = 10_000) async throws(JournalError) -> SwarmState {
    var state = SwarmState(epoch: journal.epoch)
    guard let checkpoint = try await journal.checkpoint() else { return state }
    var position: CheckpointRecord.Position?
    var commands: [(key: RememberedCommands.Key, remembered: RememberedCommands.Remembered)] = []
    var failure: JournalError?
    do {
      while true {
        let page = try await journal.checkpointRecords(of: checkpoint.revision, after: position, limit: pageSize)
        guard let last = page.last else { break }
        for record in page { try state.load(record, commands: &commands) }
        position = last.position
      }
      try state.finishLoading(checkpoint, commands: commands)
    } catch let error as JournalError {
      failure = error
    } catch {
      failure = .corrupt(revision: checkpoint.revision, "its checkpoint cannot be read: \(error)")
    }
    // For a reader beside the folder's holder the checkpoint may have been replaced by a newer one between two pages.
    guard try await journal.checkpoint() == checkpoint else {
      return try await loading(from: journal, pageSize: pageSize)
    }
    if let failure { throw failure }
    return state
  }

  private mutating func load(
    _ record: CheckpointRecord,
    commands: inout [(key: RememberedCommands.Key, remembered: RememberedCommands.Remembered)]
  ) throws(DecodingFailure) {
    var reader = ByteReader(record.bytes)
    let id = record.position.id
    switch record.position.table {
    case CheckpointTable.agents:
      guard id == .bigEndian(UInt32(agents.names.count)) else {
        throw reader.failure(.malformed("agents out of order"), "agents")
      }
      var nameReader = ByteReader(ByteWriter.stringBytes(record.bytes))
      _ = agents.index(of: try nameReader.agent("agents.name"))
      agents.checkpointed = agents.names.count
      return
    case CheckpointTable.keys:
      var keyReader = ByteReader(ByteWriter.stringBytes(id))
      try state.load(try keyReader.key("keys.key"), from: &reader, agents: agents)
    case CheckpointTable.settings:
      settings.settings = try SwarmSettings(from: &reader)
      do {
        try SettingsTable.check(settings.settings)
      } catch {
        throw reader.failure(.malformed(error.description), "settings")
      }
    case CheckpointTable.commands:
      var keyReader = ByteReader(id)
      let key = try RememberedCommands.Key(from: &keyReader, agents: agents)
      commands.append((key, try RememberedCommands.Remembered(from: &reader)))
    case let table: throw reader.failure(.malformed("\(table) is no table"), "checkpoint.table")
    }
    try reader.finish("checkpoint.record")
  }

  private mutating func finishLoading(
    _ checkpoint: CheckpointHeader,
    commands: [(key: RememberedCommands.Key, remembered: RememberedCommands.Remembered)]
  ) throws(DecodingFailure) {
    remembered.load(commands, deadlines: &deadlines)
    var reader = ByteReader(checkpoint.header)
    let version = try reader.varint("checkpoint.version")
    guard version == 0 else { throw reader.failure(.unknownVersion(version), "checkpoint.version") }
    let time = try reader.signed("checkpoint.time")
    let timestamp = try reader.timestamp("checkpoint.timestamp")
    let chain = try reader.fixed64("checkpoint.chain")
    try reader.expect(agents.names.count, "checkpoint.agents")
    try reader.expect(state.keys.count, "checkpoint.keys")
    try reader.expect(remembered.count, "checkpoint.commands")
    try reader.finish("checkpoint.header")
    finishLoading(revision: checkpoint.revision, time: time, chain: chain, lastTimestamp: timestamp)
  }
}

extension RememberedCommands.Key {
  fileprivate var bytes: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 20)
    for byte in [UInt8].bigEndian(agent) { writer.byte(byte) }
    writer.fixed64(id.high)
    writer.fixed64(id.low)
    return writer.bytes
  }

  fileprivate init(from reader: inout ByteReader, agents: Agents) throws(DecodingFailure) {
    var agent: UInt32 = 0
    for _ in 0..<4 { agent = agent << 8 | UInt32(try reader.byte("commands.agent")) }
    guard agent < agents.names.count else { throw reader.failure(.malformed("unknown agent"), "commands.agent") }
    let high = try reader.fixed64("commands.id")
    self.init(agent: agent, id: CommandID(high: high, low: try reader.fixed64("commands.id")))
  }
}

extension RememberedCommands.Remembered {
  fileprivate func encoded() -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 48)
    writer.fixed64(requestHash)
    writer.signed(time)
    outcome.encode(into: &writer)
    return writer.bytes
  }

  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    requestHash = try reader.fixed64("commands.request_hash")
    time = try reader.signed("commands.time")
    outcome = try Outcome(from: &reader)
  }
}

extension [UInt8] {
  fileprivate static func bigEndian(_ value: UInt32) -> [UInt8] {
    Swift.withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}

extension ByteReader {
  /// Refuses a checkpoint of which records are missing.
  fileprivate mutating func expect(_ found: Int, _ field: String) throws(DecodingFailure) {
    let expected = try varint(field)
    guard expected == UInt64(found) else { throw failure(.malformed("\(expected) records, \(found) found"), field) }
  }
}

extension ByteWriter {
  /// The bytes of a text with their count before them, as a reader expects a string.
  fileprivate static func stringBytes(_ bytes: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: bytes.count + 2)
    writer.blob(bytes)
    return writer.bytes
  }
}
