import MoaiCRDT

/// Turns a write as it was submitted into the form that applies without history (rule §4.4): whole values become
/// operations, cursors become revisions.
///
/// Pure. It looks at the state of the accepting hub; that state may be older than the entry's place in the journal,
/// which is why the operations carry their base.
struct StatePlanner {
  /// Operations that one entry may hold.
  static let operationLimit = 10_000
  /// Keys that one entry may write.
  static let keyLimit = 1_000

  let state: StateTable
  let agents: Agents
  let settings: SwarmSettings
  let epoch: Epoch
  let head: Revision
  /// Bases before it are refused.
  var horizon: Revision = 0

  enum Plan {
    case ready(KeyWrite)
    /// The key's value at this base is older than what the key remembers: the journal must be asked.
    case needsPast(base: Revision)
  }

  /// `past` is the key's record at the write's base, where the caller looked it up; `.some(nil)`: absent then.
  func plan(_ write: WriteRequest, field: String, past: PastValue? = nil) throws(SwarmError) -> Plan {
    let base = try write.base.map { reference throws(SwarmError) in try resolve(reference, field: field) }
    let condition = try write.ifRevision.map { reference throws(SwarmError) in
      try resolveCondition(reference, field: field)
    }
    switch write.content {
    case .delete: return .ready(keyWrite(write, .delete, base: base, condition: condition))
    case .operations(let operations):
      guard !operations.isEmpty else { throw .invalid(field: "\(field)/ops", "no operations") }
      for (index, operation) in operations.enumerated() {
        try check(operation, field: "\(field)/ops/\(index)")
      }
      return .ready(keyWrite(write, .operations(operations), base: base, condition: condition))
    case .share(let share):
      return .ready(keyWrite(write, .value(.counter, [.share(share)]), base: base, condition: condition))
    case .value(let value, let replacing):
      return try planValue(
        value, replacing: replacing, of: write, base: base, condition: condition, field: field, past: past)
    }
  }

  private func planValue(
    _ value: StateValue, replacing: Bool, of write: WriteRequest, base: Revision?, condition: Revision?, field: String,
    past: PastValue?
  ) throws(SwarmError) -> Plan {
    try check(value, field: "\(field)/value")
    let slot = state.keys.slot(of: write.key)
    let live = slot.map { state.keys[$0].record }.flatMap { $0.isDeleted ? nil : $0 }
    let type = live?.header.type ?? settings.policy(for: write.key)?.type ?? write.type ?? .register
    let seen = base ?? condition
    func ready(_ operations: [StateOperation], base: Revision?) -> Plan {
      .ready(keyWrite(write, .value(type, operations), base: base, condition: condition))
    }
    if type == .register { return ready([.assign(value)], base: seen) }
    let parts = try parts(of: value, type: type, field: field)

    guard let known = seen ?? (replacing ? head : nil) else {
      if type == .counter {
        throw .invalid(
          field: "\(field)/base",
          "a whole value over a counter needs the revision that it was computed from (base), or share, or an increment")
      }
      return ready(parts.map { $0.written }, base: nil)
    }
    guard let then = past ?? valueThen(slot: slot, at: known) else { return .needsPast(base: known) }
    if type == .counter {
      guard case .int(let now) = value else { return ready([], base: known) }
      let (difference, overflowed) = now.subtractingReportingOverflow(then.sum)
      guard !overflowed else { throw .invalid(field: "\(field)/value", "the difference leaves the 64-bit integers") }
      return ready([.increment(difference)], base: known)
    }
    var operations = parts.filter { then.parts[$0.part] != $0.value }.map(\.written)
    let written = Set(parts.map(\.part))
    let removed = then.parts.keys.filter { !written.contains($0) }.sorted { $0.precedes($1) }
    operations.append(contentsOf: removed.map(\.removal))
    return ready(operations, base: known)
  }

  /// What the key showed at a revision, if that follows from what it still remembers.
  private func valueThen(slot: Int?, at revision: Revision) -> PastValue? {
    guard let slot else { return .absent }
    let row = state.keys[slot]
    if row.revision <= revision { return PastValue(row.record, changedSince: [:], agents) }
    return row.record.recent.shown(at: revision).flatMap { changed in
      row.record.isDeleted ? nil : PastValue(row.record, changedSince: changed, agents)
    }
  }

  private func keyWrite(
    _ write: WriteRequest, _ content: KeyWrite.Content, base: Revision?, condition: Revision?
  ) -> KeyWrite {
    KeyWrite(
      key: write.key, content: content, base: base, condition: condition, declaredType: write.type,
      strategy: write.strategy)
  }

  private func resolve(_ reference: RevisionReference, field: String) throws(SwarmError) -> Revision {
    switch reference {
    case .revision(let revision):
      guard revision >= 0 else { throw .invalid(field: "\(field)/base", "\(revision) is no revision") }
      guard revision <= head else { throw .futureRevision(revision, head: head) }
      guard revision >= horizon else {
        throw .trimmed("the base \(revision) lies before the horizon \(horizon); read again")
      }
      return revision
    case .cursor(let cursor):
      guard cursor.epoch == epoch else {
        throw .trimmed("the base belongs to another epoch of this swarm; read again")
      }
      return try resolve(.revision(cursor.revision), field: field)
    }
  }

  private func resolveCondition(_ reference: RevisionReference, field: String) throws(SwarmError) -> Revision {
    switch reference {
    case .cursor(let cursor) where cursor.epoch != epoch:
      throw .trimmed("the condition belongs to another epoch of this swarm; read again")
    case .cursor(let cursor): return try resolveCondition(.revision(cursor.revision), field: field)
    case .revision(let revision):
      guard revision >= 0 else { throw .invalid(field: "\(field)/if_revision", "\(revision) is no revision") }
      guard revision <= head else { throw .futureRevision(revision, head: head) }
      return revision
    }
  }
}

// MARK: - Values into parts

/// A part of a whole value, with the operation that writes it.
private struct ValuePart {
  let part: Part
  let value: StateValue
  let written: StateOperation
}

extension Part {
  fileprivate var removal: StateOperation {
    switch self {
    case .field(let name): .removeField(name)
    case .element(let element): .remove(element)
    case .whole: .assign(.null)
    }
  }
}

extension StatePlanner {
  private func parts(of value: StateValue, type: CRDTType, field: String) throws(SwarmError) -> [ValuePart] {
    switch (type, value) {
    case (.counter, .int): return []
    case (.set, .array(let elements)):
      return Set(elements).sorted().map {
        ValuePart(part: .element($0), value: .null, written: .add($0))
      }
    case (.map, .object(let object)):
      return object.fields.map {
        ValuePart(part: .field($0.name), value: $0.value, written: .put(field: $0.name, $0.value))
      }
    default:
      let expected = type == .counter ? "an integer" : type == .set ? "an array" : "an object"
      throw .invalid(field: "\(field)/value", "the key holds a \(type.rawValue): \(expected) is expected")
    }
  }

  private func check(_ operation: StateOperation, field: String) throws(SwarmError) {
    switch operation {
    case .add(let value), .remove(let value): try check(value, field: "\(field)/element", isPart: true)
    case .put(_, let value): try check(value, field: "\(field)/value", isPart: true)
    case .assign(let value): try check(value, field: "\(field)/value")
    case .increment, .share, .removeField: break
    }
  }

  /// A part is one level inside of the key's value.
  private func check(_ value: StateValue, field: String, isPart: Bool = false) throws(SwarmError) {
    var limits = ValueLimits(encodedBytes: settings.limits.valueBytes)
    if isPart { limits.depth -= 1 }
    do {
      try limits.check(value)
    } catch {
      throw .invalid(field: field, "\(error)")
    }
  }
}

/// What a key showed at some revision, part by part.
struct PastValue {
  static let absent = PastValue(parts: [:], sum: 0)

  /// Fields of a map with their values; elements of a set with null.
  let parts: [Part: StateValue]
  /// A counter's sum.
  let sum: Int64

  private init(parts: [Part: StateValue], sum: Int64) {
    self.parts = parts
    self.sum = sum
  }

  /// The record's value now, with what changed since put back. O(size of the value).
  init(_ record: KeyRecord, changedSince changes: [Part: StateValue?], _ agents: Agents) {
    switch record.contents {
    case .parts(let writes):
      var parts = writes.compactMapValues { $0.shown(agents)?.value }
      for (part, before) in changes { parts[part] = before }
      self.init(parts: parts, sum: 0)
    case .counter(let shares):
      if case .int(let sum)?? = changes[.whole] {
        self.init(parts: [:], sum: sum)
      } else {
        self.init(parts: [:], sum: shares.sum)
      }
    case .register, .deleted: self = .absent
    }
  }
}
