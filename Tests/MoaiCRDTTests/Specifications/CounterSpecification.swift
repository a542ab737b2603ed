import MoaiCRDT
import MoaiFlowTesting

/// A counter shows the sum of the amounts that are known.
enum CounterSpecification: LatticeSpecification {
  static var operations: [Int64] { [1, -3] }

  static var manyOperations: [Int64] { [1, -3, 0, 1 << 40] }

  static func apply(_ logged: LoggedOperation<Int64>, to state: inout PNCounter) -> PNCounter {
    do {
      return try state.add(logged.operation, by: logged.dot.replica)
    } catch {
      fatalError("\(error) with amounts this small")
    }
  }

  static func view(_ state: PNCounter) -> Int64? { try? state.value }

  static func expected(_ log: [LoggedOperation<Int64>], known: Set<Int>) -> Int64? {
    known.reduce(0) { $0 + log[$1].operation }
  }
}
