import MoaiCRDT

extension StateTable {
  /// Keys that are not deleted. O(n).
  var liveKeys: Int { keys.rows.count { !$0.record.isDeleted } }

  /// The key as a reader sees it, or nil if it is absent. O(n log n) in the parts of the value.
  func reading(of key: StateKey, agents: Agents, cursor: Cursor) -> StateReading? {
    guard let slot = keys.slot(of: key), !keys[slot].record.isDeleted else { return nil }
    let row = keys[slot]
    let header = row.record.header
    return StateReading(
      key: key, value: row.record.view(agents), type: header.type, strategy: header.strategy, version: header.version,
      revision: row.revision, timestamp: header.timestamp, agent: agents[header.agent],
      siblings: row.record.siblings(agents), cursor: cursor)
  }

  /// A page of the keys that match, in the order of their bytes.
  mutating func page(
    _ filter: KeyFilter, after: StateKey?, limit: Int, includingValues: Bool, agents: Agents, cursor: Cursor
  ) -> KeyPage {
    var page: [KeyPage.Key] = []
    var next: StateKey?
    order.forEach(in: keys, prefix: Array(filter.prefix.utf8), after: after) { slot in
      let row = keys[slot]
      guard !row.record.isDeleted else { return true }
      guard page.count < limit else {
        next = page.last?.key
        return false
      }
      let header = row.record.header
      page.append(
        KeyPage.Key(
          key: keys.id(of: slot), type: header.type, revision: row.revision, version: header.version,
          agent: agents[header.agent],
          timestamp: header.timestamp, value: includingValues ? row.record.view(agents) : nil))
      return true
    }
    return KeyPage(keys: page, next: next, cursor: cursor)
  }

  /// A page of a pass over what changed after `since`, from `position` on. O(log n + what changed).
  func changes(
    since: Revision, position: Revision, began: Revision, isSnapshot: Bool, query: ChangesQuery, head: Revision,
    epoch: Epoch,
    agents: Agents
  ) -> ChangesPage {
    var page: [StateChange] = []
    var bytes = 0
    var last = position
    var isCut = false
    keys.forEachChanged(after: position) { slot in
      let row = keys[slot]
      // Nothing ever splits an entry: a page ends between revisions only.
      if row.revision != last, page.count >= query.limit || bytes >= query.maxBytes {
        isCut = true
        return false
      }
      last = row.revision
      // Who begins with nothing needs no deletions; but a key of an earlier page may have been deleted since.
      if position == 0, row.record.isDeleted { return true }
      guard query.filter.matches(keys.id(of: slot)) else { return true }
      // A key that changed while the pass was under way may stand on an earlier page already: a delta would add to that.
      let mayRepeat = position > since && row.revision > began
      var change = change(of: slot, since: since, asValue: query.asValues || isSnapshot || mayRepeat, agents: agents)
      if query.withOrigins { change = adding(origins: change, of: slot, agents: agents) }
      bytes += change.approximateSize
      page.append(change)
      return true
    }
    return ChangesPage(
      changes: page, head: head, began: began,
      next: isCut ? PageToken(epoch: epoch, since: since, position: last, began: began, isSnapshot: isSnapshot) : nil,
      cursor: isCut ? nil : Cursor(epoch: epoch, revision: head), isSnapshot: isSnapshot, isFirst: position == since)
  }
}

extension StateChange {
  /// Bytes that the change takes in canonical JSON, about: for budgets, not for accounting.
  var approximateSize: Int {
    let content =
      switch content {
      case .deleted: 16
      case .value(let value): value.encodedSize
      case .operations(let operations): operations.reduce(0) { $0 + $1.approximateSize }
      }
    return 140 + key.name.count + content + (siblings?.encodedSize ?? 0)
  }
}

extension StateOperation {
  fileprivate var approximateSize: Int {
    switch self {
    case .increment, .share: 40
    case .add(let value), .remove(let value), .assign(let value): 30 + value.encodedSize
    case .put(let field, let value): 40 + field.count + value.encodedSize
    case .removeField(let field): 40 + field.count
    }
  }
}
