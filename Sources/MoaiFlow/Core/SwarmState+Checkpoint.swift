import MoaiCRDT

/// The tables of a checkpoint. Numbers never change their meaning.
enum CheckpointTable {
  static let agents: UInt8 = 1
  static let keys: UInt8 = 2
  static let settings: UInt8 = 3
  /// Under agent and id: read, and written no more.
  static let commandsByID: UInt8 = 4
  static let replicas: UInt8 = 5
  /// Under the revision of their entries, so that what comes and goes lies together.
  static let commands: UInt8 = 6
  /// The agents that have registered, by name.
  static let roster: UInt8 = 7
}

/// A checkpoint about to be saved, and what to do if saving fails.
struct PreparedCheckpoint {
  let update: CheckpointUpdate
  fileprivate let slots: [Int]
  fileprivate let replicaSlots: [Int]
  fileprivate let rosterSlots: [Int]
  fileprivate let agentsBefore: Int
  fileprivate let commands: RememberedCommands.Changes
  fileprivate let settingsChanged: Bool
}

extension SwarmState {
  /// The records changed since the last call, as of now. O(what changed).
  ///
  /// `keepingPrevious`: the newest checkpoint so far stays kept beside this one.
  mutating func prepareCheckpoint(keepingPrevious: Bool = false) -> PreparedCheckpoint {
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
          table: CheckpointTable.keys, id: Array(state.keys.id(of: slot).name.string.utf8),
          bytes: state.record(in: slot)))
    }
    if settings.isDirty {
      var writer = ByteWriter()
      settings.settings.encode(into: &writer)
      upserted.append(CheckpointRecord(table: CheckpointTable.settings, id: [0], bytes: writer.bytes))
    }
    let settingsChanged = settings.isDirty
    settings.isDirty = false
    let replicaSlots = replicas.replicas.takeDirty()
    for slot in replicaSlots {
      upserted.append(
        CheckpointRecord(
          table: CheckpointTable.replicas, id: .bigEndian(replicas.replicas.id(of: slot).rawValue),
          bytes: replicas.record(in: slot)))
    }
    let rosterSlots = roster.rows.takeDirty()
    for slot in rosterSlots {
      upserted.append(
        CheckpointRecord(
          table: CheckpointTable.roster, id: Array(roster.rows.id(of: slot).name.string.utf8),
          bytes: roster.record(in: slot)))
    }
    let commands = remembered.takeChanges()
    for (key, command) in commands.added {
      upserted.append(
        CheckpointRecord(
          table: CheckpointTable.commands, id: .bigEndian(command.revision), bytes: command.encoded(as: key)))
    }
    let removed =
      commands.removed.map { CheckpointRecord.Position(table: CheckpointTable.commands, id: .bigEndian($0)) }
      + commands.outdated.map { CheckpointRecord.Position(table: CheckpointTable.commandsByID, id: $0.bytes) }
    var header = ByteWriter()
    header.varint(0)
    header.signed(time)
    header.timestamp(lastTimestamp)
    header.fixed64(chain)
    header.count(agents.names.count)
    header.count(state.keys.count)
    header.count(remembered.count)
    header.varint(UInt64(horizon.revision))
    header.varint(UInt64(horizon.movedAt))
    header.count(replicas.replicas.count)
    header.count(roster.rows.count)
    return PreparedCheckpoint(
      update: CheckpointUpdate(
        revision: revision, header: header.bytes, upserted: upserted, removed: removed, keepsPrevious: keepingPrevious),
      slots: slots, replicaSlots: replicaSlots, rosterSlots: rosterSlots, agentsBefore: agentsBefore,
      commands: commands,
      settingsChanged: settingsChanged)
  }

  /// Takes back a checkpoint that was not saved: its records belong into the next one.
  mutating func abandon(_ checkpoint: PreparedCheckpoint) {
    agents.checkpointed = min(agents.checkpointed, checkpoint.agentsBefore)
    for slot in checkpoint.slots { state.keys.markDirty(slot) }
    for slot in checkpoint.replicaSlots { replicas.replicas.markDirty(slot) }
    for slot in checkpoint.rosterSlots { roster.rows.markDirty(slot) }
    settings.isDirty = settings.isDirty || checkpoint.settingsChanged
    remembered.restore(checkpoint.commands)
  }

  /// All records, as if nothing had been saved yet: for comparing and copying.
  package func wholeCheckpoint() -> CheckpointUpdate {
    var copy = self
    copy.agents.checkpointed = 0
    for slot in copy.state.keys.rows.indices { copy.state.keys.markDirty(slot) }
    for slot in copy.replicas.replicas.rows.indices { copy.replicas.replicas.markDirty(slot) }
    for slot in copy.roster.rows.rows.indices { copy.roster.rows.markDirty(slot) }
    copy.settings.isDirty = copy.settings.isKept
    copy.remembered.markAllUnsaved()
    return copy.prepareCheckpoint(keepingPrevious: false).update
  }
}

extension RememberedCommands.Key {
  fileprivate var bytes: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 20)
    encode(into: &writer)
    return writer.bytes
  }

  fileprivate func encode(into writer: inout ByteWriter) {
    for byte in [UInt8].bigEndian(agent) { writer.byte(byte) }
    writer.fixed64(id.high)
    writer.fixed64(id.low)
  }
}

extension RememberedCommands.Remembered {
  fileprivate func encoded(as key: RememberedCommands.Key) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 68)
    key.encode(into: &writer)
    writer.fixed64(requestHash)
    writer.signed(time)
    encodeOutcome(into: &writer)
    return writer.bytes
  }
}

extension [UInt8] {
  static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    Swift.withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
