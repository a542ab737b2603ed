import MoaiCRDT
import MoaiFlowTesting

enum MapOperation: Sendable {
  case put(UTF8String, forKey: UTF8String)
  case remove(UTF8String)

  static let few: [MapOperation] = [.put("x", forKey: "a"), .remove("a")]

  static let many: [MapOperation] = [
    .put("x", forKey: "a"), .put("y", forKey: "a"), .put("x", forKey: "b"), .put("z", forKey: "c"), .remove("a"),
    .remove("b"),
  ]

  var key: UTF8String {
    switch self {
    case .put(_, let key), .remove(let key): key
    }
  }

  var value: UTF8String? {
    switch self {
    case .put(let value, _): value
    case .remove: nil
    }
  }
}

/// An add-wins map shows, per key, the known puts that no known put or remove of that key has seen.
enum ORMapSpecification: LatticeSpecification {
  typealias State = ORMap<UTF8String, DotFun<UTF8String>>

  static var operations: [MapOperation] { MapOperation.few }

  static var manyOperations: [MapOperation] { MapOperation.many }

  static func apply(_ logged: LoggedOperation<MapOperation>, to state: inout State) -> State {
    switch logged.operation {
    case .put(let value, let key): state.put(value, forKey: key, dot: logged.dot)
    case .remove(let key): state.remove(key)
    }
  }

  static func view(_ state: State) -> [UTF8String: [UTF8String]] {
    Dictionary(uniqueKeysWithValues: state.keys.map { ($0, state.values(forKey: $0).sorted()) })
  }

  static func expected(_ log: [LoggedOperation<MapOperation>], known: Set<Int>) -> [UTF8String: [UTF8String]] {
    var shown: [UTF8String: [UTF8String]] = [:]
    for write in known {
      guard let value = log[write].operation.value else { continue }
      let key = log[write].operation.key
      if known.contains(where: { log[$0].seen.contains(write) && log[$0].operation.key == key }) { continue }
      shown[key, default: []].append(value)
    }
    return shown.mapValues { $0.sorted() }
  }
}

/// A map of maps of registers: the same, with a path of two keys, and a remove of a whole inner map.
enum NestedMapSpecification: LatticeSpecification {
  typealias Field = DotMap<UTF8String, DotFun<UTF8String>>
  typealias State = ORMap<UTF8String, Field>

  enum Operation: Sendable {
    case put(UTF8String, at: UTF8String, UTF8String)
    case removeInner(UTF8String, UTF8String)
    case removeOuter(UTF8String)
  }

  static var operations: [Operation] {
    [.put("x", at: "a", "i"), .removeOuter("a")]
  }

  static var manyOperations: [Operation] {
    [
      .put("x", at: "a", "i"), .put("y", at: "a", "j"), .put("z", at: "b", "i"), .removeInner("a", "i"),
      .removeInner("b", "i"), .removeOuter("a"),
    ]
  }

  static func apply(_ logged: LoggedOperation<Operation>, to state: inout State) -> State {
    switch logged.operation {
    case .put(let value, let outer, let inner):
      return state.update(outer) { field in
        let dots = (field.store[inner]?.dots ?? []) + [logged.dot]
        return Causal(store: Field(inner, DotFun(logged.dot, value)), context: CausalContext(dots))
      }
    case .removeInner(let outer, let inner):
      return state.update(outer) { field in
        Causal(store: Field(), context: CausalContext(field.store[inner]?.dots ?? []))
      }
    case .removeOuter(let outer):
      return state.remove(outer)
    }
  }

  static func view(_ state: State) -> [UTF8String: [UTF8String: [UTF8String]]] {
    var shown: [UTF8String: [UTF8String: [UTF8String]]] = [:]
    for outer in state.keys {
      state[outer]?.forEach { inner, writes in shown[outer, default: [:]][inner] = writes.map(\.value).sorted() }
    }
    return shown
  }

  static func expected(
    _ log: [LoggedOperation<Operation>], known: Set<Int>
  ) -> [UTF8String: [UTF8String: [UTF8String]]] {
    var shown: [UTF8String: [UTF8String: [UTF8String]]] = [:]
    for write in known {
      guard case .put(let value, let outer, let inner) = log[write].operation else { continue }
      let isGone = known.contains { index in
        guard log[index].seen.contains(write) else { return false }
        switch log[index].operation {
        case .put(_, let otherOuter, let otherInner), .removeInner(let otherOuter, let otherInner):
          return outer == otherOuter && inner == otherInner
        case .removeOuter(let otherOuter):
          return outer == otherOuter
        }
      }
      if !isGone { shown[outer, default: [:]][inner, default: []].append(value) }
    }
    return shown.mapValues { $0.mapValues { $0.sorted() } }
  }
}

/// A last-writer map shows, per key, the greatest known write, unless it is a remove.
enum LWWMapSpecification: LatticeSpecification {
  typealias State = LWWMap<UTF8String, UTF8String>

  static var operations: [MapOperation] { MapOperation.few }

  static var manyOperations: [MapOperation] { MapOperation.many }

  static func apply(_ logged: LoggedOperation<MapOperation>, to state: inout State) -> State {
    switch logged.operation {
    case .put(let value, let key): state.put(value, forKey: key, at: logged.timestamp, dot: logged.dot)
    case .remove(let key): state.remove(key, at: logged.timestamp, dot: logged.dot)
    }
  }

  static func view(_ state: State) -> [UTF8String: UTF8String] {
    Dictionary(uniqueKeysWithValues: state.keys.map { ($0, state[$0] ?? "") })
  }

  static func expected(_ log: [LoggedOperation<MapOperation>], known: Set<Int>) -> [UTF8String: UTF8String] {
    Dictionary(grouping: known.map { log[$0] }, by: \.operation.key)
      .compactMapValues { writes in writes.max { ($0.time, $0.dot) < ($1.time, $1.dot) }?.operation.value }
  }
}
