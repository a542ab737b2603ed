import MoaiCRDT
import MoaiFlow

/// The keys of a run and the writes that agents make on them: few keys, few elements, so that writes meet.
struct Workload {
  /// Counters that are only ever counted up, whose sums are therefore known from the answers alone.
  static let tallies = ["tally/1", "tally/2"]
  static let keys: [(name: String, type: CRDTType)] = [
    ("tally/1", .counter), ("tally/2", .counter), ("count/1", .counter), ("set/1", .set), ("set/2", .set),
    ("map/1", .map), ("map/2", .map), ("reg/1", .register), ("reg/2", .register), ("any/1", .set), ("any/1", .map),
    ("budget", .counter),
  ]
  /// Keys that anybody may do anything to.
  static let names = Set(keys.map(\.name)).subtracting(tallies)
  /// A counter that a policy bounds, where there is one.
  static let budget = "budget"
  static let agents = ["alice", "bob", "carol", "dave"]

  var random: SplitMix64

  mutating func below(_ bound: Int) -> Int { random.below(bound) }
  mutating func chance(_ percent: Int) -> Bool { random.below(100) < percent }
  mutating func pick<Element>(_ from: [Element]) -> Element { from[random.below(from.count)] }

  mutating func commandID() -> CommandID { CommandID(using: &random) }

  mutating func key() -> (name: StateKey, type: CRDTType) {
    let (name, type) = pick(Workload.keys)
    return (StateKey(simulated: name), type)
  }

  mutating func element() -> StateValue {
    switch below(8) {
    case 0...4: pick(["x", "y", "z", 1, 1.0, true])
    case 5: .string(UTF8String(String(repeating: pick(["p", "q"]), count: 700)))
    default: .int(Int64(below(100_000)))
    }
  }

  mutating func field() -> UTF8String { UTF8String(pick(["a", "b", "c", "d"])) }

  mutating func operation(_ type: CRDTType) -> StateOperation {
    switch type {
    case .counter: return chance(90) ? .increment(Int64(below(21)) - 10) : .increment(pick([.max, .min, 1 << 62]))
    case .set: return chance(60) ? .add(element()) : .remove(element())
    case .map: return chance(65) ? .put(field: field(), element()) : .removeField(field())
    case .register: return .assign(element())
    }
  }

  /// A change of something that is there; nil: of nothing in particular.
  mutating func operation(on value: StateValue, _ type: CRDTType) -> StateOperation? {
    switch value {
    case .array(let elements) where type == .set && !elements.isEmpty: .remove(pick(elements))
    case .object(let object) where type == .map && !object.fields.isEmpty:
      chance(50)
        ? .removeField(pick(object.fields).name) : .put(field: pick(object.fields).name, element())
    case _ where type == .register: .assign(element())
    case _ where type == .counter: .increment(Int64(1 + below(9)))
    default: nil
    }
  }

  mutating func wholeValue(_ type: CRDTType) -> StateValue {
    switch type {
    case .counter: return .int(Int64(below(50)))
    case .set: return .array((0..<below(5)).map { _ in element() })
    case .map:
      let names: [UTF8String] = ["a", "b", "c", "d"].filter { _ in chance(50) }
      return .object(StateObject(ascending: names.map { StateObject.Field($0, element()) }))
    case .register: return element()
    }
  }

  /// A write of a key by somebody who may know an earlier place.
  mutating func write(knowing cursors: [Cursor]) -> WriteRequest {
    let (key, type) = key()
    if Workload.tallies.contains(key.name.string) {
      return WriteRequest(key, .operations([.increment(Int64(1 + below(9)))]), type: .counter)
    }
    let base: RevisionReference? = cursors.isEmpty || chance(50) ? nil : reference(to: pick(cursors))
    let asked = chance(95) ? type : pick([.set, .map, .counter, .register])
    let strategy: KeyStrategy? = chance(90) ? nil : pick([.lww, .vector])
    let content: WriteRequest.Content =
      switch below(20) {
      case 0: .delete
      case 1 where asked == .counter: .share(Int64(below(20)))
      case 1...6: .value(wholeValue(asked), replacing: chance(30))
      default: .operations((0...below(3)).map { _ in operation(asked) })
      }
    let condition: RevisionReference? = chance(92) ? nil : chance(50) ? .revision(0) : base
    return WriteRequest(
      key, content, base: content == .delete && chance(50) ? nil : base, ifRevision: condition,
      type: chance(50) ? asked : nil,
      strategy: strategy)
  }

  /// Mostly as a cursor; as a plain number it is of whatever epoch there is.
  mutating func reference(to cursor: Cursor) -> RevisionReference {
    if chance(3) { return .revision(cursor.revision + 1_000) }
    return chance(80) ? .cursor(cursor) : .revision(cursor.revision)
  }

  /// Little history, so that horizons move within a run.
  private mutating func retention() -> HistoryRetention {
    var retention = HistoryRetention()
    if chance(70) { retention.entries = Int64(1 + below(30)) }
    if chance(40) { retention.milliseconds = Int64(1 + below(4_000)) }
    return retention
  }

  mutating func settings(boundingBudget: Bool = false) -> SwarmSettings {
    var settings = SwarmSettings()
    if chance(40) { settings.policies.append(KeyPolicy(pattern: GlobPattern("map/*"), strategy: .vector)) }
    if chance(40) { settings.policies.append(KeyPolicy(pattern: GlobPattern("reg/2"), strategy: .vector)) }
    if chance(30) {
      settings.policies.append(
        KeyPolicy(pattern: GlobPattern("*/1"), writers: [GlobPattern("a*"), GlobPattern("bob")]))
    }
    if chance(30) { settings.policies.append(KeyPolicy(pattern: GlobPattern("any*"), type: pick([.set, .map]))) }
    if chance(70) || boundingBudget {
      settings.policies.append(
        KeyPolicy(
          pattern: GlobPattern("budget"), type: .counter,
          bounds: CounterBounds(minimum: Int64(below(8)) - 20, maximum: chance(50) ? Int64(20 + below(20)) : nil)))
    }
    if chance(20) {
      settings.policies.append(
        KeyPolicy(
          pattern: GlobPattern(pick(["set/*", "map/2", "reg/*"])), idleMilliseconds: pick([50, 1_000, 5_000])))
    }
    if chance(15) { settings.limits.replicaIdleMilliseconds = pick([300, 3_000]) }
    if chance(30) { settings.limits.siblings = 1 + below(3) }
    if chance(20) { settings.limits.valueBytes = 200 + below(2_000) }
    if chance(3) { settings.limits.siblings = 0 }
    if chance(60) { settings.retention = retention() }
    return settings
  }
}

extension StateKey {
  init(simulated name: String) {
    do {
      try self.init(name)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

extension AgentID {
  init(simulated name: String) {
    do {
      try self.init(name)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
