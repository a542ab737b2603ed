import MoaiCRDT

@testable import MoaiFlow

/// Rule §6.2 as somebody would write it who only wants to be sure: every accepted entry is kept for ever, and a value is
/// what the entries that nothing has taken back give, applied in order to plain lists of writes.
struct RewindModel {
  struct Write: Equatable {
    let part: Part
    let value: StateValue
    /// The entry that wrote it: its age, whatever brought it back since.
    let revision: Revision
    /// What "visible at base" looks at.
    var entered: Revision
  }

  struct Value: Equatable {
    var exists = false
    var type = CRDTType.register
    var writes: [Write] = []
    var shares: [String: Int64] = [:]
    /// A creation that counts found the key still there.
    var isRecreated = false
  }

  private enum Item {
    case entry(revision: Revision, agent: String, write: KeyWrite, type: CRDTType, isCreation: Bool)
    case rewind(revision: Revision, covers: [Revision], restored: [Write])

    var revision: Revision {
      switch self {
      case .entry(let revision, _, _, _, _), .rewind(let revision, _, _): revision
      }
    }
  }

  private var items: [StateKey: [Item]] = [:]

  /// Notes an accepted write. Several of one entry on one key come one after the other.
  mutating func record(_ write: KeyWrite, by agent: String, at revision: Revision, type: CRDTType) {
    let before = value(of: write.key)
    items[write.key, default: []].append(
      .entry(revision: revision, agent: agent, write: write, type: type, isCreation: false))
    if !before.exists, value(of: write.key).exists {
      items[write.key]?.removeLast()
      items[write.key]?.append(
        .entry(revision: revision, agent: agent, write: write, type: type, isCreation: true))
    }
  }

  /// What a rewind would cover on a key.
  func covered(on key: StateKey, by target: RewindTarget) -> [Revision] {
    (items[key] ?? []).filter { item in
      guard counts(item.revision, on: key) else { return false }
      switch (target, item) {
      case (.agent(let agent, let since), .entry(let revision, let author, _, _, _)):
        return author == agent.name.string && revision > since
      case (.revision(let revision), _): return item.revision == revision
      case (.agent, .rewind): return false
      }
    }.map(\.revision)
  }

  mutating func rewind(_ key: StateKey, covering covers: [Revision], at revision: Revision) {
    let before = value(of: key)
    let after = value(of: key, without: covers)
    let isNew = !before.exists || before.type != after.type
    let restored = after.writes.filter { write in
      isNew || !before.writes.contains { $0.part == write.part && $0.revision == write.revision }
    }
    items[key, default: []].append(.rewind(revision: revision, covers: covers, restored: restored))
  }

  /// Whether a rewind of the key that can still be read covers what can not.
  func reaches(behind horizon: Revision, on key: StateKey) -> Bool {
    (items[key] ?? []).contains { item in
      guard case .rewind(let revision, let covers, _) = item, revision > horizon else { return false }
      return covers.contains { lowest(of: $0, on: key) <= horizon }
    }
  }

  private func lowest(of revision: Revision, on key: StateKey) -> Revision {
    for case .rewind(revision, let covers, _) in items[key] ?? [] {
      return covers.map { lowest(of: $0, on: key) }.min() ?? revision
    }
    return revision
  }

  private func counts(_ revision: Revision, on key: StateKey, without: [Revision] = []) -> Bool {
    if without.contains(revision) { return false }
    return !(items[key] ?? []).contains { item in
      guard case .rewind(let later, let covers, _) = item, covers.contains(revision) else { return false }
      return counts(later, on: key, without: without)
    }
  }

  func value(of key: StateKey, without: [Revision] = []) -> Value {
    var value = Value()
    for item in items[key] ?? [] {
      switch item {
      case .rewind(let revision, _, let restored):
        for index in value.writes.indices
        where restored.contains(where: {
          $0.part == value.writes[index].part && $0.revision == value.writes[index].revision
        }) {
          value.writes[index].entered = revision
        }
      case .entry(let revision, let agent, let write, let type, let isCreation):
        guard counts(revision, on: key, without: without) else { continue }
        apply(write, by: agent, at: revision, type: type, isCreation: isCreation, to: &value)
      }
    }
    return value
  }

  private func apply(
    _ write: KeyWrite, by agent: String, at revision: Revision, type: CRDTType, isCreation: Bool, to value: inout Value
  ) {
    if case .delete = write.content {
      value = Value()
      return
    }
    if value.exists, isCreation { value.isRecreated = true }
    if !value.exists {
      var creates = write.operations.contains { $0.creates }
      if case .value = write.content { creates = true }
      guard creates else { return }
      value.exists = true
      value.type = type
    }
    guard value.type == type else { return }
    let base = write.base ?? write.condition ?? revision
    func erase(_ part: Part) {
      value.writes.removeAll { $0.part == part && ($0.entered <= base || $0.entered == revision) }
    }
    for operation in write.operations {
      switch operation {
      case .increment(let amount): value.shares[agent, default: 0] += amount
      case .share(let share): value.shares[agent] = share
      case .add(let element): put(.element(element), .null)
      case .put(let field, let new): put(.field(field), new)
      case .assign(let new): put(.whole, new)
      case .remove(let element): erase(.element(element))
      case .removeField(let field): erase(.field(field))
      }
    }
    func put(_ part: Part, _ new: StateValue) {
      erase(part)
      value.writes.append(Write(part: part, value: new, revision: revision, entered: revision))
    }
  }
}

extension RewindModel.Value {
  /// What a reader sees; nil: the key is absent.
  var view: StateValue? {
    guard exists else { return nil }
    let shown = Dictionary(grouping: writes, by: \.part).mapValues { $0.max { $0.revision < $1.revision }!.value }
    switch type {
    case .counter: return .int(shares.values.reduce(0, +))
    case .register: return shown[.whole] ?? .null
    case .set:
      return .array(shown.keys.compactMap { if case .element(let element) = $0 { element } else { nil } }.sorted())
    case .map:
      return .object(
        try! StateObject(
          shown.compactMap { part, value in if case .field(let name) = part { (name, value) } else { nil } }))
    }
  }

  /// Values per part that are there and not shown.
  var hidden: [Part: [StateValue]] {
    Dictionary(grouping: writes, by: \.part).mapValues { writes in
      writes.sorted { $0.revision < $1.revision }.dropLast().map(\.value)
    }.filter { !$0.value.isEmpty }
  }
}
