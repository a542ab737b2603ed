package import MoaiCRDT

/// Makes a state out of the records of a checkpoint, taken one by one in the order of (table, id).
package struct CheckpointLoader: Sendable {
  private var state: SwarmState
  /// The greatest revision that a key names.
  private var newest: Revision = 0
  private var commands: [(key: RememberedCommands.Key, remembered: RememberedCommands.Remembered)] = []
  private var areCommandsOutdated = false

  package init(epoch: Epoch) {
    state = SwarmState(epoch: epoch)
  }

  package mutating func take(_ record: CheckpointRecord) throws(DecodingFailure) {
    var reader = ByteReader(record.bytes)
    let id = record.position.id
    switch record.position.table {
    case CheckpointTable.agents:
      guard id == .bigEndian(UInt32(state.agents.names.count)) else {
        throw reader.failure(.malformed("agents out of order"), "agents")
      }
      var nameReader = ByteReader(ByteWriter.stringBytes(record.bytes))
      _ = state.agents.index(of: try nameReader.agent("agents.name"))
      state.agents.checkpointed = state.agents.names.count
      return
    case CheckpointTable.keys:
      var keyReader = ByteReader(ByteWriter.stringBytes(id))
      let touched = try state.state.load(try keyReader.key("keys.key"), from: &reader, agents: state.agents)
      newest = max(newest, touched)
    case CheckpointTable.settings:
      let settings = try SwarmSettings(from: &reader)
      do {
        try SettingsTable.check(settings)
      } catch {
        throw reader.failure(.malformed(error.description), "settings")
      }
      state.settings.load(settings)
    case CheckpointTable.commandsByID:
      areCommandsOutdated = true
      var keyReader = ByteReader(id)
      let key = try RememberedCommands.Key(from: &keyReader, agents: state.agents)
      try keyReader.finish("commands.id")
      commands.append((key, try RememberedCommands.Remembered(from: &reader)))
    case CheckpointTable.commands:
      let key = try RememberedCommands.Key(from: &reader, agents: state.agents)
      let command = try RememberedCommands.Remembered(from: &reader)
      guard !areCommandsOutdated, id == .bigEndian(command.revision) else {
        throw reader.failure(.malformed("a command of revision \(command.revision)"), "commands.id")
      }
      commands.append((key, command))
    case CheckpointTable.replicas:
      var idReader = ByteReader(id)
      var number: UInt64 = 0
      for _ in 0..<8 { number = number << 8 | UInt64(try idReader.byte("replicas.id")) }
      try state.replicas.load(ReplicaID(number), from: &reader, agents: state.agents)
    case CheckpointTable.roster:
      var nameReader = ByteReader(ByteWriter.stringBytes(id))
      newest = max(newest, try state.roster.load(try nameReader.member("roster.name"), from: &reader))
    case let table: throw reader.failure(.malformed("\(table) is no table"), "checkpoint.table")
    }
    try reader.finish("checkpoint.record")
  }

  /// The state, once all records are in.
  ///
  /// - Throws: if records are missing, or what stands at the head cannot be read.
  package consuming func finish(_ checkpoint: CheckpointHeader) throws(DecodingFailure) -> SwarmState {
    var reader = ByteReader(checkpoint.header)
    guard state.load(commands, areOutdated: areCommandsOutdated) else {
      throw reader.failure(.malformed("a command is there twice"), "checkpoint.commands")
    }
    let head = try CheckpointHead(from: &reader)
    try reader.expect(state.agents.names.count, "checkpoint.agents")
    try reader.expect(state.state.keys.count, "checkpoint.keys")
    try reader.expect(state.remembered.count, "checkpoint.commands")
    let horizon = Horizon(
      revision: try reader.revision("checkpoint.horizon"), movedAt: try reader.revision("checkpoint.horizon_moved_at"))
    try reader.expect(state.replicas.replicas.count, "checkpoint.replicas")
    // Checkpoints of earlier versions end here: their swarms had no agents.
    if !reader.isAtEnd || state.roster.rows.count > 0 {
      try reader.expect(state.roster.rows.count, "checkpoint.roster")
    }
    try reader.finish("checkpoint.header")
    guard horizon.revision <= horizon.movedAt, horizon.movedAt <= checkpoint.revision else {
      throw reader.failure(.malformed("the horizon lies beyond the checkpoint"), "checkpoint.horizon")
    }
    guard newest <= checkpoint.revision else {
      throw reader.failure(.malformed("a key at revision \(newest)"), "checkpoint.revision")
    }
    state.finishLoading(
      revision: checkpoint.revision, time: head.time, chain: head.chain, lastTimestamp: head.timestamp,
      horizon: horizon)
    return state
  }
}

/// What a checkpoint's header says first.
private struct CheckpointHead {
  let time: Int64
  let timestamp: Timestamp
  let chain: UInt64

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let version = try reader.varint("checkpoint.version")
    guard version == 0 else { throw reader.failure(.unknownVersion(version), "checkpoint.version") }
    time = try reader.signed("checkpoint.time")
    timestamp = try reader.timestamp("checkpoint.timestamp")
    chain = try reader.fixed64("checkpoint.chain")
  }
}

extension CheckpointHeader {
  /// The journal time of the cut: every entry in it was appended at that time or before.
  ///
  /// - Throws: if the header cannot be read.
  func time() throws(DecodingFailure) -> Int64 {
    var reader = ByteReader(header)
    return try CheckpointHead(from: &reader).time
  }
}

extension SwarmState {
  /// The state of the newest checkpoint that a journal keeps at or before `limit`; else the empty one.
  ///
  /// - Throws: `.corrupt` naming the checkpoint's revision if a record cannot be read; `.trimmed` if `limit` lies before
  ///   the horizon.
  package static func loading(
    from journal: any Journal, upTo limit: Revision = .max, pageSize: Int = 10_000
  ) async throws(JournalError) -> SwarmState {
    guard let checkpoint = try await journal.newestCheckpoint(upTo: limit) else {
      let horizon = try await journal.horizon()
      guard horizon <= limit else { throw .trimmed(horizon: horizon) }
      return SwarmState(epoch: journal.epoch)
    }
    var loader = CheckpointLoader(epoch: journal.epoch)
    var position: CheckpointRecord.Position?
    var failure: JournalError?
    do {
      while true {
        let page = try await journal.checkpointRecords(of: checkpoint.revision, after: position, limit: pageSize)
        guard let last = page.last else { break }
        for record in page { try loader.take(record) }
        position = last.position
      }
      let state = try loader.finish(checkpoint)
      // For a reader beside the folder's holder the checkpoint may have gone, or been replaced, between two pages.
      if try await journal.newestCheckpoint(upTo: limit) == checkpoint { return state }
    } catch let error as JournalError {
      failure = error
    } catch {
      failure = .corrupt(revision: checkpoint.revision, "its checkpoint cannot be read: \(error)")
    }
    if let failure, try await journal.newestCheckpoint(upTo: limit) == checkpoint { throw failure }
    return try await loading(from: journal, upTo: limit, pageSize: pageSize)
  }
}

extension Journal {
  fileprivate func newestCheckpoint(upTo limit: Revision) async throws(JournalError) -> CheckpointHeader? {
    limit == .max ? try await checkpoint() : try await checkpoints().last { $0.revision <= limit }
  }
}

// MARK: - Records

extension RememberedCommands.Key {
  fileprivate init(from reader: inout ByteReader, agents: Agents) throws(DecodingFailure) {
    var agent: UInt32 = 0
    for _ in 0..<4 { agent = agent << 8 | UInt32(try reader.byte("commands.agent")) }
    guard agent < agents.names.count else { throw reader.failure(.malformed("unknown agent"), "commands.agent") }
    let high = try reader.fixed64("commands.id")
    self.init(agent: agent, id: CommandID(high: high, low: try reader.fixed64("commands.id")))
  }
}

extension RememberedCommands.Remembered {
  fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
    let requestHash = try reader.fixed64("commands.request_hash")
    let time = try reader.signed("commands.time")
    self.init(requestHash: requestHash, outcome: try Outcome(from: &reader), time: time)
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
