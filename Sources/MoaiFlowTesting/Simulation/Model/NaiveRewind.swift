import MoaiCRDT
import MoaiFlow

/// Rule §6.2 as somebody would write it who only wants to be sure: every accepted write of a key is kept, and what a key
/// would be without some of them is what the others give, applied in order to a plain list.
///
/// It knows writes that agents made online. A key that something else has touched (an offline write, a deletion with a
/// base, or because nobody had changed it) is given up.
struct NaiveRewind {
  fileprivate typealias Part = KeyExplanation.Part

  private struct Step {
    let revision: Revision
    let agent: AgentID
    let write: KeyWrite
    let type: CRDTType
    /// The key was absent before.
    let creates: Bool
  }

  /// What a key would be.
  struct Value {
    fileprivate(set) var type: CRDTType?
    fileprivate var parts: [(part: Part, value: StateValue, revision: Revision)] = []
    fileprivate var shares: [AgentID: Int64] = [:]
    /// A write that made the key found it still there.
    fileprivate(set) var isRecreated = false
  }

  private var steps: [StateKey: [Step]] = [:]
  private var unknown: Set<StateKey> = []

  func knows(_ key: StateKey) -> Bool { !unknown.contains(key) }

  mutating func giveUp(_ key: StateKey) { unknown.insert(key) }

  var keys: [StateKey] { steps.keys.sorted() }

  /// Of the last write that was noted.
  func type(of key: StateKey) -> CRDTType? { steps[key]?.last?.type }

  /// Notes an accepted write; `type`: of the key with it.
  mutating func record(_ write: KeyWrite, by agent: AgentID, at revision: Revision, type: CRDTType, creates: Bool) {
    // A delete on condition that the key is absent has seen nothing that it could hide.
    if write.content == .delete, write.base != nil || write.condition == 0 { giveUp(write.key) }
    steps[write.key, default: []].append(
      Step(revision: revision, agent: agent, write: write, type: type, creates: creates))
  }

  /// The entries of an agent on a key behind a revision.
  func covered(on key: StateKey, of agent: AgentID, since: Revision) -> Set<Revision> {
    Set((steps[key] ?? []).filter { $0.agent == agent && $0.revision > since }.map(\.revision))
  }

  func value(of key: StateKey, without covered: Set<Revision>) -> Value {
    var value = Value()
    for step in steps[key] ?? [] where !covered.contains(step.revision) { apply(step, to: &value) }
    return value
  }

  private func apply(_ step: Step, to value: inout Value) {
    if step.write.content == .delete {
      value = Value()
      return
    }
    if value.type != nil, step.creates { value.isRecreated = true }
    let operations: [StateOperation] =
      switch step.write.content {
      case .operations(let operations), .value(_, let operations): operations
      case .delete: []
      }
    if value.type == nil {
      var creates = operations.contains { $0.makesKey }
      if case .value = step.write.content { creates = true }
      guard creates else { return }
      value.type = step.type
    }
    guard value.type == step.type else { return }
    let base = step.write.base ?? step.write.condition ?? step.revision
    func erase(_ part: Part) {
      value.parts.removeAll { $0.part == part && ($0.revision <= base || $0.revision == step.revision) }
    }
    func put(_ part: Part, _ new: StateValue) {
      erase(part)
      value.parts.append((part, new, step.revision))
    }
    for operation in operations {
      switch operation {
      case .increment(let amount): value.shares[step.agent, default: 0] &+= amount
      case .share(let share): value.shares[step.agent] = share
      case .add(let element): put(.element(element), .null)
      case .put(let field, let new): put(.field(field), new)
      case .assign(let new): put(.whole, new)
      case .remove(let element): erase(.element(element))
      case .removeField(let field): erase(.field(field))
      }
    }
  }
}

extension NaiveRewind.Value {
  /// What a reader sees; nil: the key is absent.
  var view: StateValue? {
    guard let type else { return nil }
    let shown = Dictionary(grouping: parts, by: \.part).compactMapValues { writes in
      writes.max { $0.revision < $1.revision }?.value
    }
    switch type {
    case .counter: return .int(shares.values.reduce(0, &+))
    case .register: return shown[.whole] ?? .null
    case .set:
      return .array(shown.keys.compactMap { if case .element(let element) = $0 { element } else { nil } }.sorted())
    case .map:
      let fields = shown.compactMap { part, value -> StateObject.Field? in
        if case .field(let name) = part { StateObject.Field(name, value) } else { nil }
      }
      return .object(StateObject(ascending: fields.sorted { $0.name < $1.name }))
    }
  }
}

extension StateOperation {
  /// Whether it brings an absent key into being.
  fileprivate var makesKey: Bool {
    switch self {
    case .remove, .removeField: false
    default: true
    }
  }
}
