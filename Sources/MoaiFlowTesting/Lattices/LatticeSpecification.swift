public import MoaiCRDT

/// An operation in the global log of a run, with everything that a dumb model needs to judge it.
public struct LoggedOperation<Operation: Sendable>: Sendable {
  public let operation: Operation
  /// Who did it: 0, 1, 2…
  public let replica: Int
  /// The writes of that replica so far, this one included.
  public let number: UInt64
  /// The wall clock of that replica, for types that compare timestamps.
  public let time: Int64
  /// The operations, as indices of the log, that the replica had seen.
  public let seen: Set<Int>

  public var dot: Dot { Dot(ReplicaID(UInt64(replica) + 1), number) }
  public var timestamp: Timestamp { Timestamp(milliseconds: time) }
}

/// A lattice beside a model of it so dumb that one sees that it is right: what should be visible, computed from the log
/// of all operations and the set of those that a replica knows.
public protocol LatticeSpecification {
  associatedtype State: BinaryLattice
  associatedtype Operation: Sendable
  associatedtype View: Equatable

  /// The few operations that an exhaustive search tries at each step.
  static var operations: [Operation] { get }

  /// The operations among which long runs choose by chance.
  static var manyOperations: [Operation] { get }

  /// Does the operation in the lattice, and returns the delta.
  static func apply(_ logged: LoggedOperation<Operation>, to state: inout State) -> State

  /// What the lattice shows.
  static func view(_ state: State) -> View

  /// What a replica that knows the operations `known` of `log` should show.
  static func expected(_ log: [LoggedOperation<Operation>], known: Set<Int>) -> View

  /// The state of `target` after it asked `source` for what it lacks.
  static func catchUp(_ target: State, from source: State) -> State

  /// Violations of laws that only some lattices promise.
  static func furtherViolations(_ states: [State]) -> [LawViolation]
}

extension LatticeSpecification {
  public static var manyOperations: [Operation] { operations }

  public static func catchUp(_ target: State, from source: State) -> State { target.merging(source) }

  public static func furtherViolations(_ states: [State]) -> [LawViolation] { [] }
}

extension LatticeSpecification where State: CausalLattice {
  public static func catchUp(_ target: State, from source: State) -> State {
    target.merging(source.delta(since: target.context))
  }

  public static func furtherViolations(_ states: [State]) -> [LawViolation] { catchUpViolations(states) }
}
