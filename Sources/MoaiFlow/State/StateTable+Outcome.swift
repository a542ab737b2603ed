extension StateTable {
  /// The answer to a write that was applied at `revision`.
  func outcome(of writes: [KeyWrite], applied: [AppliedWrite], at revision: Revision) -> StateOutcome {
    StateOutcome(
      keys: zip(writes, applied).map { write, applied in
        guard let slot = applied.slot else {
          return KeyResult(key: write.key, revision: 0, version: 0, changed: false, overwrote: [])
        }
        let isAbsent = keys[slot].record.isDeleted
        let keyRevision = keys[slot].revision
        let changed = keyRevision == revision
        return KeyResult(
          key: write.key, revision: isAbsent && !changed ? 0 : keyRevision,
          version: isAbsent ? 0 : keys[slot].record.header.version, changed: changed, overwrote: applied.overwrote)
      })
  }
}
