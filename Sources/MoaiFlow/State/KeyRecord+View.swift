import MoaiCRDT

extension DotFun where Value == Written {
  /// The write that is shown: the greatest by (timestamp, agent, canonical value), rule §3.7. Dots decide last, so that
  /// the choice never depends on order of arrival.
  func shown(_ agents: Agents) -> Written? {
    if count == 1 { return self[0].value }
    var best: (dot: Dot, written: Written)?
    for (dot, written) in self {
      if let current = best, !Written.isGreater((dot, written), than: current, agents) { continue }
      best = (dot, written)
    }
    return best?.written
  }

  /// The writes that somebody had not seen. Nearly always there is one, and the next has seen it.
  func unseen(by sight: Sight) -> Writes {
    if allSatisfy({ sight.contains($0.dot, $0.value) }) { return Writes() }
    var unseen = self
    unseen.removeAll { sight.contains($0, $1) }
    return unseen
  }

  /// The values of the writes that are not shown, in canonical order without repeats of each other or the shown one.
  func siblings(_ agents: Agents) -> [StateValue] {
    guard count > 1, let shown = shown(agents) else { return [] }
    var values: [StateValue] = []
    for value in map({ $0.1.value }).sorted() where value != shown.value && value != values.last {
      values.append(value)
    }
    return values
  }
}

extension Written {
  fileprivate static func isGreater(_ left: (Dot, Written), than right: (Dot, Written), _ agents: Agents) -> Bool {
    if left.1.timestamp != right.1.timestamp { return left.1.timestamp > right.1.timestamp }
    if left.1.agent != right.1.agent { return agents[left.1.agent] > agents[right.1.agent] }
    if left.1.value != right.1.value { return left.1.value > right.1.value }
    return left.0 > right.0
  }
}

extension Part {
  /// Bytes that the part takes in the canonical value.
  func viewSize(showing written: Written?) -> Int {
    guard let written else { return 0 }
    return switch self {
    case .whole: written.value.encodedSize
    case .field(let name): StateValue.string(name).encodedSize + 1 + written.value.encodedSize
    case .element(let element): element.encodedSize
    }
  }

  /// What makes a receiver show this value, or nothing for nil.
  func operation(showing value: StateValue?) -> StateOperation {
    switch self {
    case .whole: .assign(value ?? .null)
    case .field(let name): value.map { .put(field: name, $0) } ?? .removeField(name)
    case .element(let element): value == nil ? .remove(element) : .add(element)
    }
  }
}

extension KeyRecord {
  /// Siblings that a reader is shown at most (rule §4.2).
  static let shownSiblings = 16

  /// Bytes of the canonical value. O(1); a counter counts as the longest integer.
  @inline(__always)
  var viewSize: Int {
    switch contents {
    case .counter: 20
    case .register: header.contentSize
    case .parts(let parts): header.contentSize + parts.count + 1
    case .deleted: 0
    }
  }

  @inline(__always)
  var counterSum: Int64 {
    if case .counter(let shares) = contents { shares.sum } else { 0 }
  }

  /// The value that a reader sees. O(n log n) in the elements of a set or the fields of a map.
  func view(_ agents: Agents) -> StateValue {
    switch contents {
    case .counter(let shares): return .int(shares.sum)
    case .register(let writes): return writes.shown(agents)?.value ?? .null
    case .parts(let parts):
      if header.type == .set {
        return .array(parts.keys.compactMap { if case .element(let value) = $0 { value } else { nil } }.sorted())
      }
      var fields: [StateObject.Field] = []
      fields.reserveCapacity(parts.count)
      for (part, writes) in parts {
        if case .field(let name) = part, let written = writes.shown(agents) {
          fields.append(.init(name, written.value))
        }
      }
      return .object(StateObject(ascending: fields.sorted { $0.name < $1.name }))
    case .deleted: return .null
    }
  }

  /// With the strategy `vector`, what else was written concurrently: a register's other values, or per field of a map
  /// an array of them; at most ``shownSiblings`` each. Nil where there is nothing.
  func siblings(_ agents: Agents) -> StateValue? {
    guard header.strategy == .vector else { return nil }
    switch contents {
    case .register(let writes):
      let values = writes.siblings(agents).prefix(KeyRecord.shownSiblings)
      return values.isEmpty ? nil : .array(Array(values))
    case .parts(let parts) where header.type == .map:
      var fields: [StateObject.Field] = []
      for (part, writes) in parts where writes.count > 1 {
        guard case .field(let name) = part else { continue }
        let values = writes.siblings(agents).prefix(KeyRecord.shownSiblings)
        if !values.isEmpty { fields.append(.init(name, .array(Array(values)))) }
      }
      return fields.isEmpty ? nil : .object(StateObject(ascending: fields.sorted { $0.name < $1.name }))
    case .parts, .counter, .deleted: return nil
    }
  }

  /// The operations that turn what a part showed into what it shows now; one, but for a counter that moved by more
  /// than Int64 holds.
  func appendOperations(
    showing part: Part, after before: StateValue?, _ agents: Agents, to operations: inout [StateOperation]
  ) {
    if case .counter(let shares) = contents {
      operations.appendIncrements(from: before, to: shares.sum)
    } else {
      operations.append(part.operation(showing: writes(of: part).shown(agents)?.value))
    }
  }
}

extension [StateOperation] {
  /// Moves a counter from what it showed to a sum.
  mutating func appendIncrements(from before: StateValue?, to sum: Int64) {
    var from: Int64 = 0
    if case .int(let value)? = before { from = value }
    var rest = Int128(sum) - Int128(from)
    while rest != 0 {
      let step = Int64(clamping: rest)
      append(.increment(step))
      rest -= Int128(step)
    }
  }
}
