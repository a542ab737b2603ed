import MoaiCRDT

extension StateTable {
  /// Deletes what the writer had seen of a key (rule §4.8): all of it if nothing was written since, else the writes that
  /// were visible at his base, so that the key lives on with the others. Increments have no dots: a counter that somebody
  /// else counted on since stays as it is.
  ///
  /// `sight`: nil if the writer gave no base; then he means the key as it is. Costs the parts of the value where
  /// something was written since the base, else nothing.
  mutating func delete(_ slot: Int, seenBy sight: Sight?, in transaction: inout Transaction, agents: Agents) {
    guard let sight, keys[slot].record.touchedAt > sight.base else { return delete(slot, in: &transaction) }
    // A new incarnation is not what the writer wanted to be gone.
    guard sight.contains(keys[slot].record.header) else { return }
    switch keys[slot].record.contents {
    case .deleted: return
    case .counter(let counter):
      let unseen = counter.touch?.last(notBy: transaction.author) ?? 0
      if unseen <= sight.base || unseen == sight.entry { delete(slot, in: &transaction) }
    case .register(let writes):
      if writes.unseen(by: sight).isEmpty { return delete(slot, in: &transaction) }
      begin(slot, in: &transaction)
      erase(.whole, of: slot, sight, in: &transaction, agents: agents)
    case .parts(let parts):
      var seen: [Part] = []
      var hasUnseen = false
      for (part, writes) in parts {
        let unseen = writes.unseen(by: sight).count
        if unseen > 0 { hasUnseen = true }
        if unseen < writes.count { seen.append(part) }
      }
      guard hasUnseen else { return delete(slot, in: &transaction) }
      guard !seen.isEmpty else { return }
      begin(slot, in: &transaction)
      for part in seen.sorted(by: { $0.precedes($1) }) {
        erase(part, of: slot, sight, in: &transaction, agents: agents)
      }
    }
  }
}
