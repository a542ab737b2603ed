import MoaiCRDT
import MoaiFlowTesting

/// A set shows an element if a known insert of it was not seen by any known remove of it.
enum SetSpecification: LatticeSpecification {
  enum Operation: Sendable {
    case insert(UTF8String)
    case remove(UTF8String)
    case removeAll
  }

  static var operations: [Operation] { [.insert("a"), .remove("a")] }

  static var manyOperations: [Operation] {
    [.insert("a"), .insert("b"), .insert("c"), .remove("a"), .remove("b"), .removeAll]
  }

  static func apply(
    _ logged: LoggedOperation<Operation>, to state: inout ORSet<UTF8String>
  ) -> ORSet<UTF8String> {
    switch logged.operation {
    case .insert(let element): state.insert(element, dot: logged.dot)
    case .remove(let element): state.remove(element)
    case .removeAll: state.removeAll()
    }
  }

  static func view(_ state: ORSet<UTF8String>) -> Set<UTF8String> { Set(state.elements) }

  static func expected(_ log: [LoggedOperation<Operation>], known: Set<Int>) -> Set<UTF8String> {
    var present: Set<UTF8String> = []
    for insert in known {
      guard case .insert(let element) = log[insert].operation else { continue }
      let isRemoved = known.contains { index in
        guard log[index].seen.contains(insert) else { return false }
        switch log[index].operation {
        case .remove(let removed): return removed == element
        case .removeAll: return true
        case .insert: return false
        }
      }
      if !isRemoved { present.insert(element) }
    }
    return present
  }
}
