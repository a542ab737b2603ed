extension DotMap: DotStore {
  @inlinable
  public func contains(_ dot: Dot) -> Bool {
    log.slot(of: dot).map { stores[$0].contains(dot) } ?? false
  }

  @inlinable
  public func forEachDot(_ body: (Dot) -> Void) {
    for line in log.lines {
      for entry in line.entries {
        let dot = Dot(line.replica, entry.number)
        if stores[Int(entry.slot)].contains(dot) { body(dot) }
      }
    }
  }

  @inlinable
  public mutating func remove(_ dot: Dot) {
    guard let slot = log.slot(of: dot) else { return }
    drop(dot, slot: slot)
    sweepIfNeeded()
  }

  @inlinable
  public mutating func adopt(_ dot: Dot, from other: Self) {
    guard let otherSlot = other.log.slot(of: dot), other.stores[otherSlot].contains(dot) else { return }
    adopt(dot, from: other, otherSlot: otherSlot, line: log.makeLine(of: dot.replica))
  }

  @inlinable
  public func agrees(with other: Self, at dot: Dot) -> Bool {
    switch (log.slot(of: dot), other.log.slot(of: dot)) {
    case (nil, nil):
      return true
    case (let slot?, let otherSlot?):
      guard stores[slot].contains(dot), other.stores[otherSlot].contains(dot) else {
        return stores[slot].contains(dot) == other.stores[otherSlot].contains(dot)
      }
      return table.keys[slot] == other.table.keys[otherSlot]
        && stores[slot].agrees(with: other.stores[otherSlot], at: dot)
    default:
      return contains(dot) == other.contains(dot)
    }
  }

  @inlinable
  public mutating func join(_ other: Self, seen context: CausalContext, otherSeen otherContext: CausalContext) {
    for range in otherContext.ranges {
      if let line = log.line(of: range.replica) { dropWhatIsGone(in: range, line: line, from: other) }
    }
    for otherLine in other.log.lines.indices {
      let replica = other.log.lines[otherLine].replica
      var line: Int?
      other.log.forEach(inLine: otherLine, outside: context) { entry in
        let dot = Dot(replica, entry.number)
        let otherSlot = Int(entry.slot)
        guard other.stores[otherSlot].contains(dot) else { return }
        let target = line ?? log.makeLine(of: replica)
        line = target
        adopt(dot, from: other, otherSlot: otherSlot, line: target)
      }
    }
    sweepIfNeeded()
  }

  /// Drops the writes of `range` that `other`, which has seen them all, does not have any more.
  @inlinable
  mutating func dropWhatIsGone(in range: DotRange, line: Int, from other: Self) {
    var index = log.lines[line].position(range.lower)
    let count = log.lines[line].entries.count
    guard index < count else { return }
    let otherEntries = other.log.line(of: range.replica).map { other.log.lines[$0] }
    var otherIndex = otherEntries?.position(range.lower) ?? 0
    let otherCount = otherEntries?.entries.count ?? 0
    while index < count {
      let entry = log.lines[line].entries[index]
      guard entry.number <= range.upper else { return }
      index += 1
      let dot = Dot(range.replica, entry.number)
      if let otherEntries {
        while otherIndex < otherCount, otherEntries.entries[otherIndex].number < entry.number { otherIndex += 1 }
        if otherIndex < otherCount, otherEntries.entries[otherIndex].number == entry.number,
          other.stores[Int(otherEntries.entries[otherIndex].slot)].contains(dot)
        {
          continue
        }
      }
      drop(dot, slot: Int(entry.slot))
    }
  }

  /// O(log n) per run of numbers without a removed write among them, as long as nothing was removed since the last
  /// sweep; else O(n) in the writes of the replicas in `context`.
  @inlinable
  public func dots(in context: CausalContext) -> CausalContext {
    var found: [DotRange] = []
    for range in context.ranges {
      guard let line = log.line(of: range.replica) else { continue }
      let first = log.lines[line].position(range.lower)
      var behind = log.lines[line].position(range.upper)
      let entries = log.lines[line].entries
      if behind < entries.count, entries[behind].number == range.upper { behind += 1 }
      if log.count == dotCount {
        Self.appendRuns(of: entries, first, behind, range.replica, to: &found)
      } else {
        for entry in entries[first..<behind] {
          let dot = Dot(range.replica, entry.number)
          if stores[Int(entry.slot)].contains(dot) { found.appendJoining(DotRange(dot)) }
        }
      }
    }
    return CausalContext(sorted: found)
  }

  /// Appends the numbers of `entries[first ..< behind]` as ranges, halving until a part has no hole.
  @inlinable
  static func appendRuns(
    of entries: [DotLog.Entry], _ first: Int, _ behind: Int, _ replica: ReplicaID, to ranges: inout [DotRange]
  ) {
    guard first < behind else { return }
    let lower = entries[first].number
    let upper = entries[behind - 1].number
    if upper - lower == UInt64(behind - first - 1) {
      ranges.appendJoining(DotRange(replica, lower, upper))
    } else {
      let middle = (first + behind) / 2
      appendRuns(of: entries, first, middle, replica, to: &ranges)
      appendRuns(of: entries, middle, behind, replica, to: &ranges)
    }
  }
}
