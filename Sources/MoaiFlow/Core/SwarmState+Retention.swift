import MoaiCRDT

/// Keys that go because nobody changed them for as long as their policy keeps them (rule §4.1).
extension SwarmState {
  /// Until when the key is kept; nil: without an end.
  private func endOfRetention(_ slot: Int) -> Int64? {
    let row = state.keys[slot]
    guard !row.record.isDeleted,
      let idle = settings.settings.policy(for: state.keys.id(of: slot))?.idleMilliseconds
    else { return nil }
    return Deadlines.after(row.record.header.timestamp.milliseconds, idle)
  }

  /// Sets the deadlines of keys that an entry has changed. A key that has one keeps it: it looks again when it fires.
  mutating func scheduleIdleKeys(_ slots: [Int]) {
    for slot in slots {
      if let end = endOfRetention(slot) { deadlines.setIfAbsent(.deleteIdleKey(slot), at: end) }
    }
  }

  /// Sets the deadlines of all keys anew, because the policies have changed or the state was loaded. O(keys) if a policy
  /// deletes any.
  mutating func scheduleIdleKeys() {
    deadlines.removeIdleKeys()
    if settings.deletesIdleKeys { scheduleIdleKeys(Array(state.keys.rows.indices)) }
  }

  /// Whether the next entry deletes the key, because nobody has changed it for too long by now.
  func isExpiring(_ key: StateKey) -> Bool {
    guard let slot = state.keys.slot(of: key), let end = endOfRetention(slot) else { return false }
    return end <= time
  }

  /// Whether a key whose deadline fires is really due; else its deadline is put off.
  mutating func isIdle(_ slot: Int) -> Bool {
    guard let end = endOfRetention(slot) else { return false }
    if end <= time { return true }
    deadlines.set(.deleteIdleKey(slot), at: end)
    return false
  }

  /// Deletes keys in the name of the journal, as a step of its own before the entry that let the time pass.
  mutating func deleteIdle(_ slots: [Int]) -> [StateChange] {
    let author = agents.index(of: .journal)
    var transaction = Transaction(
      epoch: epoch, revision: revision, timestamp: nextTimestamp, author: author, authorName: .journal)
    // By name: slots are numbered otherwise after a restart.
    for slot in slots.sorted(by: { state.keys.id(of: $0) < state.keys.id(of: $1) }) {
      state.delete(slot, in: &transaction)
    }
    let changes = state.commit(&transaction, agents: agents)
    noteTimestamp(transaction.timestamp)
    digest(transaction)
    return changes
  }
}
