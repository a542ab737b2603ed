extension StateTable {
  /// The answer to writes that were applied at `revision`.
  func outcome(of writes: [KeyWrite], applied: AppliedWrites, at revision: Revision) -> StateOutcome {
    switch applied {
    case .one(let applied): StateOutcome(result(of: writes[0], applied: applied, at: revision))
    case .many(let applied):
      StateOutcome(keys: zip(writes, applied).map { result(of: $0, applied: $1, at: revision) })
    }
  }

  private func result(of write: KeyWrite, applied: AppliedWrite, at revision: Revision) -> KeyResult {
    guard let slot = applied.slot else {
      return KeyResult(key: write.key, revision: 0, version: 0, changed: false, overwrote: [])
    }
    let isAbsent = keys[slot].record.isDeleted
    let keyRevision = keys[slot].revision
    let changed = keyRevision == revision
    return KeyResult(
      key: write.key, revision: isAbsent && !changed ? 0 : keyRevision,
      version: isAbsent ? 0 : keys[slot].record.header.version, changed: changed, overwrote: applied.overwrote)
  }
}
