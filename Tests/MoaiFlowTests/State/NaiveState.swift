import MoaiCRDT

@testable import MoaiFlow

/// Shared state as somebody would write it who only wants to be sure: every accepted write is kept for ever, and a value
/// is worked out from all of them each time (rules §4.2 to §4.4, §4.8).
struct NaiveState {
  enum Action {
    case write(Part, StateValue)
    case erase(Part)
    case count(Int64)
    case share(Int64)
    case create
    case delete
  }

  struct Step {
    let revision: Revision
    let key: String
    let agent: String
    let base: Revision
    let action: Action
  }

  private(set) var steps: [Step] = []

  mutating func record(_ key: String, _ agent: String, revision: Revision, base: Revision?, _ actions: [Action]) {
    steps += actions.map {
      Step(revision: revision, key: key, agent: agent, base: base ?? revision, action: $0)
    }
  }

  private struct Alive {
    let part: Part
    let value: StateValue
    let entered: Revision
  }

  /// What each part of a key shows at a revision; nil: the key is absent.
  func parts(of key: String, at revision: Revision) -> [Part: StateValue]? {
    var alive: [Alive] = []
    var shares: [String: Int64] = [:]
    var isCounter = false
    var exists = false
    var created: Revision = 0
    var counted: [(agent: String, revision: Revision)] = []
    for step in steps where step.key == key && step.revision <= revision {
      let isVisible: (Alive) -> Bool = { $0.entered <= step.base || $0.entered == step.revision }
      if !exists { created = step.revision }
      switch step.action {
      case .create: exists = true
      case .write(let part, let value):
        exists = true
        alive.removeAll { $0.part == part && isVisible($0) }
        alive.append(Alive(part: part, value: value, entered: step.revision))
      case .erase(let part): alive.removeAll { $0.part == part && isVisible($0) }
      case .count(let amount):
        exists = true
        isCounter = true
        shares[step.agent, default: 0] += amount
        counted.append((step.agent, step.revision))
      case .share(let share):
        exists = true
        isCounter = true
        shares[step.agent] = share
        counted.append((step.agent, step.revision))
      case .delete:
        guard exists, created <= step.base else { continue }
        alive.removeAll(where: isVisible)
        let othersCounted = counted.contains { $0.agent != step.agent && $0.revision > step.base }
        if isCounter ? othersCounted : !alive.isEmpty { continue }
        exists = false
        shares = [:]
        counted = []
        isCounter = false
      }
    }
    guard exists else { return nil }
    if isCounter { return [.whole: .int(shares.values.reduce(0, +))] }
    // Later entries have greater timestamps: the last one of a part is shown.
    return Dictionary(alive.map { ($0.part, $0.value) }, uniquingKeysWith: { $1 })
  }

  /// The value of a key at a revision.
  func value(of key: String, type: CRDTType, at revision: Revision) -> StateValue? {
    guard let parts = parts(of: key, at: revision) else { return nil }
    switch type {
    case .counter: return parts[.whole] ?? 0
    case .register: return parts[.whole] ?? .null
    case .set:
      return .array(parts.keys.compactMap { if case .element(let element) = $0 { element } else { nil } }.sorted())
    case .map:
      let fields = parts.compactMap { part, value -> (UTF8String, StateValue)? in
        if case .field(let name) = part { (name, value) } else { nil }
      }
      return .object(try! StateObject(fields))
    }
  }

  /// The actions of a whole value, straight from rule §4.4.
  func actions(writing value: StateValue, type: CRDTType, to key: String, base: Revision?) -> [Action] {
    let wanted: [Part: StateValue]
    switch (type, value) {
    case (.register, _): return [.write(.whole, value)]
    case (.counter, .int(let now)):
      guard let base, case .int(let then) = self.value(of: key, type: .counter, at: base) ?? 0 else { return [] }
      return [.count(now - then)]
    case (.set, .array(let elements)):
      wanted = Dictionary(elements.map { (.element($0), .null) }, uniquingKeysWith: { $1 })
    case (.map, .object(let object)):
      wanted = Dictionary(uniqueKeysWithValues: object.fields.map { (.field($0.name), $0.value) })
    default: return []
    }
    guard let base else { return [.create] + wanted.map { .write($0.key, $0.value) } }
    let seen = parts(of: key, at: base) ?? [:]
    let changed = wanted.filter { seen[$0.key] != $0.value }.map { Action.write($0.key, $0.value) }
    let left = seen.keys.filter { wanted[$0] == nil }.map { Action.erase($0) }
    return [.create] + changed + left
  }
}
