import MoaiCRDT

extension KeyTrace {
  /// Puts together what is shown now with what was gathered. Nil: the key never was.
  func explanation(limit: Int, horizon: Revision) -> KeyExplanation? {
    guard let end, let slot = end.state.keys.slot(of: key) else { return nil }
    let record = end.state.keys[slot].record
    let wanted = wantedParts(of: record)
    let reasons = wanted.prefix(limit).map { reason(for: $0, record.writes(of: $0), end.agents) }
    let shares = shareReasons(of: record, end.agents)
    return KeyExplanation(
      key: key,
      reading: end.state.reading(
        of: key, agents: end.agents, cursor: Cursor(epoch: end.epoch, revision: end.revision)),
      type: record.header.type, created: created, deleted: deleted, deletions: deletions, parts: Array(reasons),
      partCount: wanted.count, shares: Array(shares.prefix(limit)), shareCount: shares.count, horizon: horizon)
  }

  private func wantedParts(of record: KeyRecord) -> [Part] {
    if let part { return [part] }
    switch record.contents {
    case .register: return [.whole]
    case .parts(let parts): return parts.keys.sorted { $0.precedes($1) }
    case .counter, .deleted: return []
    }
  }

  private func reason(for part: Part, _ writes: Writes, _ agents: Agents) -> KeyExplanation.PartReason {
    let events = parts[part] ?? PartEvents()
    let shown = writes.shown(agents)
    var losses: [KeyExplanation.Loss] = []
    if let shown {
      for (_, written) in writes where written != shown {
        losses.append(.init(source: self.source(of: written, part: part, agents), rule: shown.rule(against: written)))
      }
    }
    losses.sort { $0.source.author.revision > $1.source.author.revision }
    let beside = losses.count
    let source = shown.map { self.source(of: $0, part: part, agents) }
    // What a rewind brought back has lost once, and has not lost.
    let gone = events.lost.filter { $0.source.author != source?.author }
    losses += gone.reversed()
    return KeyExplanation.PartReason(
      part: .init(part), shown: source, lost: Array(losses.prefix(KeyExplanation.lossLimit)),
      lostCount: beside + events.lostCount - (events.lost.count - gone.count),
      survived: shown.map { shown in events.missed.filter { $0.write == shown }.map(\.removal).reversed() } ?? [])
  }

  private func shareReasons(of record: KeyRecord, _ agents: Agents) -> [KeyExplanation.ShareReason] {
    guard case .counter(let counter) = record.contents else { return [] }
    return counter.shares.map { agent, share in
      let events = shares[agent] ?? ShareEvents()
      return KeyExplanation.ShareReason(
        agent: agents[agent], share: share, entries: events.entries, last: events.last.reversed())
    }
    .sorted { $0.share == $1.share ? $0.agent < $1.agent : $0.share > $1.share }
  }
}

extension Written {
  /// Why this write is shown and that one, which had not seen it, is not (rule §3.4).
  fileprivate func rule(against other: Written) -> KeyExplanation.Rule {
    if timestamp != other.timestamp { return .earlierTime }
    return agent != other.agent ? .smallerName : .smallerValue
  }
}
