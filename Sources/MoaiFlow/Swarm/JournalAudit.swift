/// What a look at everything that a journal holds has found. It writes nothing.
///
/// Every entry's checksum is checked, every entry is decoded and applied from the horizon on, and where the replay passes
/// a kept checkpoint, the checkpoint's header, with its chain hash, and each of its records must be what the replay has.
/// So a checkpoint that is damaged, and one that a faulty program wrote, are both noticed. The floor itself can only be
/// compared with what it is read as: what came before it is gone.
package struct JournalAudit: Sendable {
  package let epoch: Epoch
  /// Where the replay began.
  package private(set) var horizon: Revision = 0
  /// The last entry up to which everything is intact.
  package private(set) var revision: Revision = 0
  package private(set) var keys = 0
  /// The chain hash at `revision`.
  package private(set) var chain: UInt64 = 0
  /// The kept checkpoints' revisions, ascending; empty if there are none, or they cannot be read.
  package private(set) var checkpoints: [Revision] = []
  /// The first entry that cannot be used, which stops the replay.
  package private(set) var unreadable: Revision?
  /// One line each; empty if all is well.
  package private(set) var problems: [String] = []

  /// The newest checkpoint's revision; nil: there is none, or it cannot be read.
  package var checkpoint: Revision? { checkpoints.last }

  package init(of journal: any Journal) async {
    epoch = journal.epoch
    var kept: [CheckpointHeader] = []
    do {
      kept = try await journal.checkpoints()
      checkpoints = kept.map(\.revision)
      horizon = try await journal.horizon()
    } catch {
      problems.append("\(error)")
    }
    do {
      var replay = try await JournalReplay(journal)
      do {
        try await replayAll(&replay, journal, kept)
      } catch {
        note(error)
      }
      revision = replay.state.revision
      chain = replay.state.chain
      keys = replay.state.state.liveKeys
    } catch {
      note(error)
    }
  }

  private mutating func note(_ error: SwarmError) {
    problems.append(JournalAudit.describe(error))
    if case .corrupt(let revision, _) = error { unreadable = revision }
  }

  private mutating func replayAll(
    _ replay: inout JournalReplay, _ journal: any Journal, _ kept: [CheckpointHeader]
  ) async throws(SwarmError) {
    var waiting = kept[...]
    repeat {
      while let checkpoint = waiting.first, checkpoint.revision == replay.state.revision {
        await compare(checkpoint, with: replay.state, journal)
        waiting.removeFirst()
      }
    } while try await replay.next() != nil
    for checkpoint in waiting {
      problems.append(
        "entry \(replay.state.revision + 1) is missing: a checkpoint stands at revision \(checkpoint.revision)")
    }
  }

  private static func describe(_ error: SwarmError) -> String {
    if case .corrupt(let revision, let how) = error { "entry \(revision) is corrupt: \(how)" } else { "\(error)" }
  }

  private mutating func compare(
    _ checkpoint: CheckpointHeader, with replayed: SwarmState, _ journal: any Journal
  ) async {
    let whole = replayed.wholeCheckpoint()
    var expected: [CheckpointRecord.Position: [UInt8]] = [:]
    for record in whole.upserted { expected[record.position] = record.bytes }
    if checkpoint.header != whole.header {
      problems.append("the checkpoint at revision \(checkpoint.revision) has another chain hash than the entries")
    }
    do {
      var position: CheckpointRecord.Position?
      var differing = 0
      while true {
        let page = try await journal.checkpointRecords(of: checkpoint.revision, after: position, limit: 10_000)
        guard let last = page.last else { break }
        for record in page where expected.removeValue(forKey: record.position) != record.bytes { differing += 1 }
        position = last.position
      }
      if differing + expected.count > 0 {
        problems.append(
          "\(differing + expected.count) records of the checkpoint at revision \(checkpoint.revision) differ from what "
            + "the entries say")
      }
    } catch {
      problems.append("\(error)")
    }
  }
}
