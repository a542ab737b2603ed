extension StateTable {
  /// The answer to a write that was applied at `revision`.
  func outcome(of writes: [KeyWrite], overwrote: [[Overwritten]], at revision: Revision) -> StateOutcome {
    StateOutcome(
      keys: zip(writes, overwrote).map { write, overwrote in
        guard let slot = keys.slot(of: write.key) else {
          return KeyResult(key: write.key, revision: 0, version: 0, changed: false, overwrote: [])
        }
        let row = keys[slot]
        let isAbsent = row.record.isDeleted
        let changed = row.revision == revision
        return KeyResult(
          key: write.key, revision: isAbsent && !changed ? 0 : row.revision,
          version: isAbsent ? 0 : row.record.header.version, changed: changed, overwrote: overwrote)
      })
  }
}
