import MoaiCRDT
import MoaiFlow

extension RunJudge {
  /// The entry must be what its author asked for, at the base that he gave: rules §4.3, §4.4, and no place of another
  /// epoch for one of this.
  mutating func judgePlan(
    of entry: Entry, at revision: Revision, inherited: Revision, epoch: Epoch, _ model: PlainModel
  ) {
    guard let command = seen.commands[entry.id], revision > inherited else { return }
    switch (command.request.body, entry.command) {
    case (.settings(let asked), .settings(.replace(let planned))):
      if asked != planned { violation("plan", "entry \(revision) replaces the settings by others than asked for") }
    case (.write(let asked), .state(.write(let planned))):
      guard asked.count == planned.count else {
        return violation("plan", "entry \(revision) has \(planned.count) writes of \(asked.count) asked for")
      }
      for (asked, planned) in zip(asked, planned) {
        for case .cursor(let cursor)? in [asked.base, asked.ifRevision] where cursor.epoch != epoch {
          violation("§1.3", "entry \(revision) was accepted with a place in another epoch, \(cursor)")
        }
        if let text = RunJudge.misunderstanding(asked, planned, model) {
          violation("plan", "entry \(revision), \(asked.key): \(text)")
        }
      }
    case (.replica(let asked), .replica(let planned)):
      if asked != planned { violation("plan", "entry \(revision) is another command of a replica than asked for") }
    default: violation("plan", "entry \(revision) is something else than its command")
    }
  }

  private static func misunderstanding(
    _ asked: WriteRequest, _ planned: KeyWrite, _ model: PlainModel
  ) -> String? {
    if asked.key != planned.key { return "it writes \(planned.key)" }
    if asked.ifRevision?.number != planned.condition { return "its condition is another one" }
    if asked.type != planned.declaredType || asked.strategy != planned.strategy { return "its type is another one" }
    switch (asked.content, planned.content) {
    case (.delete, .delete): return asked.base?.number == planned.base ? nil : "its base is another one"
    case (.operations(let asked0), .operations(let planned0)):
      if asked.base?.number != planned.base { return "its base is \(planned.base.map { "\($0)" } ?? "now")" }
      return asked0 == planned0 ? nil : "its operations are others"
    case (.share(let share), .value(.counter, let operations)):
      return operations == [.share(share)] ? nil : "its share is another one"
    case (.value(let value, let replacing), .value(let type, let operations)):
      if let base = asked.base ?? asked.ifRevision, base.number != planned.base {
        return "its base is \(planned.base.map { "\($0)" } ?? "now"), not \(base.number)"
      }
      if asked.base == nil, asked.ifRevision == nil, !replacing, let base = planned.base {
        return "it has no base, and is taken to have seen \(base)"
      }
      return expected(value, type, replacing, planned, model).flatMap { expected in
        Set(operations) == Set(expected) && operations.count == expected.count
          ? nil : "\(value) became \(operations), expected is \(expected)"
      }
    default: return "it is something else"
    }
  }

  /// The operations that a whole value means; nil where the key was of another type at the base.
  private static func expected(
    _ value: StateValue, _ type: CRDTType, _ replacing: Bool, _ planned: KeyWrite, _ model: PlainModel
  ) -> [StateOperation]? {
    if type == .register { return [.assign(value)] }
    let past = planned.base.flatMap { model.past(of: planned.key, at: $0) }
    if let past, past.type != type { return nil }
    let removes = planned.base != nil
    switch (type, value) {
    case (.counter, .int(let now)):
      guard case .int(let then) = past?.value ?? 0, planned.base != nil else { return nil }
      return [.increment(now &- then)]
    case (.set, .array(let wanted)):
      let seen = past?.value.arrayValue ?? []
      var operations: [StateOperation] = []
      for element in wanted where !seen.contains(element) && !operations.contains(.add(element)) {
        operations.append(.add(element))
      }
      return operations + (removes ? seen.filter { !wanted.contains($0) }.map { .remove($0) } : [])
    case (.map, .object(let wanted)):
      let seen = past?.value.objectValue ?? .empty
      let puts = wanted.fields.filter { seen[$0.name] != $0.value }.map {
        StateOperation.put(field: $0.name, $0.value)
      }
      let gone =
        removes ? seen.fields.filter { wanted[$0.name] == nil }.map { StateOperation.removeField($0.name) } : []
      return puts + gone
    default: return nil
    }
  }
}

extension RevisionReference {
  fileprivate var number: Revision {
    switch self {
    case .revision(let revision): revision
    case .cursor(let cursor): cursor.revision
    }
  }
}
