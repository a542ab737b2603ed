import MoaiCRDT
import MoaiFlowTesting

@testable import MoaiFlow

/// A random history of shared state, from a seed: every step goes into the core and into ``NaiveState``.
struct StateRun {
  var random: SplitMix64
  var harness = CoreHarness()
  var model = NaiveState()
  /// Follows every entry.
  var live = StateMirror()
  /// Elements that take half a kilobyte, so that keys soon forget their recent changes.
  let isLarge: Bool
  static let keys: [(name: String, type: CRDTType)] = [
    ("c1", .counter), ("c2", .counter), ("s1", .set), ("s2", .set), ("m1", .map), ("m2", .map), ("r1", .register),
  ]
  static let agents = ["alice", "bob", "carol"]

  init(seed: UInt64, isLarge: Bool = false) {
    random = SplitMix64(seed: seed)
    self.isLarge = isLarge
  }

  mutating func pick<T>(_ from: [T]) -> T { from[random.below(from.count)] }

  mutating func element() -> StateValue {
    if isLarge { return .string(UTF8String(String(repeating: pick(["x", "y", "z", "\u{E9}"]), count: 500))) }
    return pick(["x", "y", "z", "\u{E9}", "e\u{301}", 1, 1.0, true, .null, ["a"], ["f": 1]])
  }

  mutating func base() -> Revision? {
    let head = Int(harness.core.revision)
    switch random.below(4) {
    case 0: return nil
    case 1: return Revision(random.below(head + 1))
    default: return Revision(max(0, head - random.below(6)))
    }
  }

  mutating func step() throws {
    let (key, type) = pick(StateRun.keys)
    let agent = pick(StateRun.agents)
    let base = base()
    harness.now += Int64(random.below(3)) - 1
    var actions: [NaiveState.Action] = []
    let content: WriteRequest.Content
    switch (random.below(12), type) {
    case (0, _):
      content = .delete
      actions = [.delete]
    case (1...3, .set), (1...3, .map), (1...3, .register):
      let value = wholeValue(type)
      content = .value(value)
      actions = model.actions(writing: value, type: type, to: key, base: base)
    case (1...3, .counter) where base != nil:
      content = .value(.int(Int64(random.below(50))))
      if case .value(let value, _) = content {
        actions = model.actions(writing: value, type: type, to: key, base: base)
      }
    case (4, .counter):
      let share = Int64(random.below(20))
      content = .share(share)
      actions = [.share(share)]
    default:
      let operations = (0...random.below(3)).map { _ in operation(type) }
      content = .operations(operations.map(\.0))
      let creates = operations.contains { $0.0.creates }
      let exists = model.parts(of: key, at: harness.core.revision) != nil
      if creates || exists { actions = operations.map(\.1) }
    }
    try harness.write(key, content, by: agent, base: base, type: type)
    model.record(key, agent, revision: harness.core.revision, base: base, actions)
  }

  /// A checkpoint that is under way while the next step happens, and is not saved.
  mutating func loseCheckpoint() throws {
    let prepared = harness.beginCheckpoint()
    try step()
    harness.abandon(prepared)
  }

  private mutating func wholeValue(_ type: CRDTType) -> StateValue {
    switch type {
    case .set: return .array((0..<random.below(5)).map { _ in element() })
    case .map:
      let names = ["a", "b", "c", "d"].filter { _ in random.below(2) == 0 }
      return .object(try! StateObject(names.map { (UTF8String($0), element()) }))
    default: return element()
    }
  }

  private mutating func operation(_ type: CRDTType) -> (StateOperation, NaiveState.Action) {
    switch type {
    case .counter:
      let amount = Int64(random.below(21)) - 10
      return (.increment(amount), .count(amount))
    case .register:
      let value = element()
      return (.assign(value), .write(.whole, value))
    case .set:
      let value = element()
      return random.below(3) > 0
        ? (.add(value), .write(.element(value), .null)) : (.remove(value), .erase(.element(value)))
    case .map:
      let field = UTF8String(pick(["a", "b", "c", "d"]))
      let value = element()
      return random.below(3) > 0
        ? (.put(field: field, value), .write(.field(field), value)) : (.removeField(field), .erase(.field(field)))
    }
  }
}
