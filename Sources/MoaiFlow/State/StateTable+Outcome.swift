extension StateTable {
  /// The answer to writes that were applied at `revision`.
  func outcome(
    of writes: [KeyWrite], applied: AppliedWrites, at revision: Revision, expired: Set<Int>
  ) -> StateOutcome {
    switch applied {
    case .one(let applied): StateOutcome(result(of: writes[0], applied: applied, at: revision, expired))
    case .many(let applied):
      StateOutcome(keys: zip(writes, applied).map { result(of: $0, applied: $1, at: revision, expired) })
    }
  }

  private func result(
    of write: KeyWrite, applied: AppliedWrite, at revision: Revision, _ expired: Set<Int>
  ) -> KeyResult {
    guard let slot = applied.slot else {
      return KeyResult(key: write.key, revision: 0, version: 0, changed: false, overwrote: [])
    }
    let isAbsent = keys[slot].record.isDeleted
    let keyRevision = keys[slot].revision
    // What journal time deleted in the same entry is not this write's doing.
    let changed = keyRevision == revision && !(isAbsent && expired.contains(slot))
    return KeyResult(
      key: write.key, revision: isAbsent && !changed ? 0 : keyRevision,
      version: isAbsent ? 0 : keys[slot].record.header.version, changed: changed, overwrote: applied.overwrote)
  }
}
