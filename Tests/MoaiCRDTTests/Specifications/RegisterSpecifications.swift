import MoaiCRDT
import MoaiFlowTesting

/// A last-writer register shows the greatest assignment that is known.
enum LWWRegisterSpecification: LatticeSpecification {
  static var operations: [UTF8String] { ["a", "b"] }

  static func apply(
    _ logged: LoggedOperation<UTF8String>, to state: inout LWWRegister<UTF8String>
  ) -> LWWRegister<UTF8String> {
    state.assign(logged.operation, at: logged.timestamp, by: logged.dot.replica)
  }

  static func view(_ state: LWWRegister<UTF8String>) -> UTF8String? { state.value }

  static func expected(_ log: [LoggedOperation<UTF8String>], known: Set<Int>) -> UTF8String? {
    known.map { log[$0] }.max { ($0.time, $0.replica, $0.operation) < ($1.time, $1.replica, $1.operation) }?.operation
  }
}

/// A multi-value register shows the known assignments that no known assignment or clear has seen.
enum MVRegisterSpecification: LatticeSpecification {
  /// Nil clears.
  static var operations: [UTF8String?] { ["a", nil] }

  static var manyOperations: [UTF8String?] { ["a", "b", "c", nil] }

  static func apply(
    _ logged: LoggedOperation<UTF8String?>, to state: inout MVRegister<UTF8String>
  ) -> MVRegister<UTF8String> {
    guard let value = logged.operation else { return state.clear() }
    return state.assign(value, dot: logged.dot)
  }

  static func view(_ state: MVRegister<UTF8String>) -> [UTF8String] { state.values.sorted() }

  static func expected(_ log: [LoggedOperation<UTF8String?>], known: Set<Int>) -> [UTF8String] {
    known.filter { write in !known.contains { log[$0].seen.contains(write) } }.compactMap { log[$0].operation }.sorted()
  }
}
