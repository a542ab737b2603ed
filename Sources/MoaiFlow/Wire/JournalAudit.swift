/// What a look at everything that a journal holds has found. It writes nothing.
///
/// Every entry's checksum is checked, every entry is decoded and applied from the first on, and where the replay passes
/// the newest checkpoint, the checkpoint's chain hash and each of its records must be what the replay has. So a
/// checkpoint that is damaged, and one that a faulty program wrote, are both noticed.
package struct JournalAudit: Sendable {
  package let epoch: Epoch
  /// The last entry up to which everything is intact.
  package private(set) var revision: Revision = 0
  package private(set) var keys = 0
  /// The chain hash at `revision`.
  package private(set) var chain: UInt64 = 0
  /// The newest checkpoint's revision; nil: there is none, or it cannot be read.
  package private(set) var checkpoint: Revision?
  /// One line each; empty if all is well.
  package private(set) var problems: [String] = []

  package init(of journal: any Journal) async {
    epoch = journal.epoch
    var isCheckpointReadable = true
    do {
      checkpoint = try await journal.checkpoint()?.revision
    } catch {
      problems.append("\(error)")
      isCheckpointReadable = false
    }
    var replay = JournalReplay(journal)
    do {
      try await compareIfThere(&replay, journal)
      while try await replay.next() != nil {
        try await compareIfThere(&replay, journal)
      }
      if isCheckpointReadable, let checkpoint, checkpoint > replay.state.revision {
        problems.append(
          "entry \(replay.state.revision + 1) is missing: the checkpoint stands at revision \(checkpoint)")
      }
    } catch {
      problems.append(JournalAudit.describe(error))
    }
    revision = replay.state.revision
    chain = replay.state.chain
    keys = replay.state.state.liveKeys
  }

  private static func describe(_ error: SwarmError) -> String {
    if case .corrupt(let revision, let how) = error { "entry \(revision) is corrupt: \(how)" } else { "\(error)" }
  }

  /// Compares the checkpoint with the replay if this is where it stands.
  private mutating func compareIfThere(
    _ replay: inout JournalReplay, _ journal: any Journal
  ) async throws(SwarmError) {
    guard replay.state.revision == checkpoint else { return }
    var replayed = replay.state
    var expected: [CheckpointRecord.Position: [UInt8]] = [:]
    let prepared = replayed.prepareCheckpoint().update
    for record in prepared.upserted { expected[record.position] = record.bytes }
    do {
      if try await journal.checkpoint()?.header != prepared.header {
        problems.append("the checkpoint at revision \(prepared.revision) has another chain hash than the entries")
      }
      var position: CheckpointRecord.Position?
      var differing = 0
      while true {
        let page = try await journal.checkpointRecords(of: prepared.revision, after: position, limit: 10_000)
        guard let last = page.last else { break }
        for record in page where expected.removeValue(forKey: record.position) != record.bytes { differing += 1 }
        position = last.position
      }
      if differing + expected.count > 0 {
        problems.append(
          "\(differing + expected.count) records of the checkpoint at revision \(prepared.revision) differ from what "
            + "the entries say")
      }
    } catch {
      problems.append("\(error)")
    }
  }
}
