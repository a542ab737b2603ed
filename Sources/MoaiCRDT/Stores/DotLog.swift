/// Where each write lies: per replica its dots in order, each with the slot of the key that it wrote.
///
/// This is what makes "what does the other lack" cost what changed and not what exists: the writes behind a number are
/// the end of an array. A write that was overwritten or removed leaves its entry behind until the owner, who can tell,
/// sweeps; so an entry is a hint, to be checked against its slot.
@usableFromInline
@frozen
struct DotLog: Sendable {
  @usableFromInline
  @frozen
  struct Entry: Sendable {
    @usableFromInline let number: UInt64
    @usableFromInline var slot: UInt32

    @inlinable
    init(number: UInt64, slot: Int) {
      self.number = number
      self.slot = UInt32(slot)
    }
  }

  @usableFromInline
  @frozen
  struct Line: Sendable {
    @usableFromInline let replica: ReplicaID
    /// Sorted by number.
    @usableFromInline var entries: [Entry]

    @inlinable
    init(replica: ReplicaID, entries: [Entry]) {
      self.replica = replica
      self.entries = entries
    }

    /// The position of the first entry from `number` on. O(1) where numbers follow each other without holes.
    @inlinable
    func position(_ number: UInt64) -> Int {
      guard let first = entries.first, number > first.number else { return 0 }
      let distance = number - first.number
      if distance < UInt64(entries.count), entries[Int(distance)].number == number { return Int(distance) }
      var low = 0
      var high = entries.count
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].number < number { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  /// Sorted by replica.
  @usableFromInline var lines: [Line] = []
  @usableFromInline var count = 0

  @inlinable
  init() {}

  @inlinable
  func position(of replica: ReplicaID) -> Int {
    var low = 0
    var high = lines.count
    while low < high {
      let middle = (low + high) / 2
      if lines[middle].replica < replica { low = middle + 1 } else { high = middle }
    }
    return low
  }

  @inlinable
  func line(of replica: ReplicaID) -> Int? {
    let position = position(of: replica)
    return position < lines.count && lines[position].replica == replica ? position : nil
  }

  @inlinable
  func slot(of dot: Dot) -> Int? {
    guard let line = line(of: dot.replica) else { return nil }
    let position = lines[line].position(dot.number)
    guard position < lines[line].entries.count, lines[line].entries[position].number == dot.number else { return nil }
    return Int(lines[line].entries[position].slot)
  }

  /// The line of `replica`, made if it is not there.
  @inlinable
  mutating func makeLine(of replica: ReplicaID) -> Int {
    let position = position(of: replica)
    if position == lines.count || lines[position].replica != replica {
      lines.insert(Line(replica: replica, entries: []), at: position)
    }
    return position
  }

  @inlinable
  mutating func insert(_ dot: Dot, slot: Int) {
    insert(dot.number, slot: slot, line: makeLine(of: dot.replica))
  }

  /// O(1) at the end of the line, where new writes belong; O(n) before it.
  @inlinable
  mutating func insert(_ number: UInt64, slot: Int, line: Int) {
    let entry = Entry(number: number, slot: slot)
    if let last = lines[line].entries.last, last.number >= number {
      let position = lines[line].position(number)
      if lines[line].entries[position].number == number {
        lines[line].entries[position] = entry
        return
      }
      lines[line].entries.insert(entry, at: position)
    } else {
      lines[line].entries.append(entry)
    }
    count += 1
  }

  /// Drops the entries that are not `live` and lines without entries.
  @inlinable
  mutating func sweep(keeping live: (Dot, Int) -> Bool) {
    for line in lines.indices {
      let replica = lines[line].replica
      lines[line].entries.removeAll { !live(Dot(replica, $0.number), Int($0.slot)) }
    }
    lines.removeAll { $0.entries.isEmpty }
    count = lines.reduce(0) { $0 + $1.entries.count }
  }

  /// Calls `body` with each entry of `line` whose dot is not in `context`. O(log n + entries called with + ranges).
  @inlinable
  func forEach(inLine line: Int, outside context: CausalContext, _ body: (Entry) -> Void) {
    let replica = lines[line].replica
    let ranges = context.ranges
    let count = lines[line].entries.count
    var range = context.position(replica, 1)
    var index = 0
    while index < count {
      let entry = lines[line].entries[index]
      while range < ranges.count, ranges[range].replica == replica, ranges[range].upper < entry.number { range += 1 }
      if range < ranges.count, ranges[range].replica == replica, ranges[range].lower <= entry.number {
        let upper = ranges[range].upper
        index = lines[line].position(upper)
        if index < count, lines[line].entries[index].number == upper { index += 1 }
      } else {
        body(entry)
        index += 1
      }
    }
  }

  /// The number of entries whose dots are not in `context`.
  @inlinable
  func count(outside context: CausalContext) -> Int {
    var found = 0
    for line in lines.indices { forEach(inLine: line, outside: context) { _ in found += 1 } }
    return found
  }

  func checkInvariants() -> [String] {
    var broken: [String] = []
    for (left, right) in zip(lines, lines.dropFirst()) where !(left.replica < right.replica) {
      broken.append("the line of \(left.replica) stands before \(right.replica)")
    }
    for line in lines {
      for (left, right) in zip(line.entries, line.entries.dropFirst()) where left.number >= right.number {
        broken.append("\(line.replica):\(left.number) stands before \(right.number)")
      }
    }
    if count != lines.reduce(0, { $0 + $1.entries.count }) { broken.append("the log miscounts its entries") }
    return broken
  }
}
