import MoaiCRDT

/// Several replicas of one lattice, what each knows, and everything that has happened so far.
public struct LatticeRun<Specification: LatticeSpecification> {
  public typealias State = Specification.State

  public enum Step: Sendable {
    case perform(Specification.Operation, replica: Int)
    /// `target` merges the whole state of `source`.
    case merge(source: Int, target: Int)
    /// `target` asks `source` for what it lacks.
    case catchUp(source: Int, target: Int)
  }

  public private(set) var replicas: [State]
  public private(set) var log: [LoggedOperation<Specification.Operation>] = []
  private var known: [Set<Int>]
  private var deltas: [State] = []
  /// States that replicas have left behind, each of which somebody may still send.
  private var old: [State] = []
  private var steps: [Step] = []

  public init(replicas count: Int) {
    replicas = Array(repeating: State(), count: count)
    known = Array(repeating: [], count: count)
  }

  /// Whether the step can change anything: an operation, or news for the target.
  public func isWorthTaking(_ step: Step) -> Bool {
    switch step {
    case .perform: true
    case .merge(let source, let target), .catchUp(let source, let target):
      !known[source].isSubset(of: known[target])
    }
  }

  /// Takes the step and compares the replica that changed with the model.
  public mutating func take(_ step: Step) -> [LawViolation] {
    steps.append(step)
    let changed: Int
    switch step {
    case .perform(let operation, let replica):
      changed = replica
      old.append(replicas[replica])
      let logged = LoggedOperation(
        operation: operation, replica: replica,
        number: UInt64(log.count { $0.replica == replica } + 1),
        // Clocks that disagree: replica 0 is ahead, and every second time repeats.
        time: Int64(log.count / 2 - 2 * replica), seen: known[replica])
      known[replica].insert(log.count)
      log.append(logged)
      deltas.append(Specification.apply(logged, to: &replicas[replica]))
    case .merge(let source, let target):
      changed = target
      replicas[target].merge(replicas[source])
      known[target].formUnion(known[source])
    case .catchUp(let source, let target):
      changed = target
      replicas[target] = Specification.catchUp(replicas[target], from: replicas[source])
      known[target].formUnion(known[source])
    }
    let shown = Specification.view(replicas[changed])
    let expected = Specification.expected(log, known: known[changed])
    var found = replicas[changed].checkInvariants().map { LawViolation("invariant", "\($0) after \(steps)") }
    if shown != expected { found.append(LawViolation("model", "\(shown), not \(expected), after \(steps)")) }
    return found
  }

  /// All laws over the states and deltas of this run, and that everybody ends equal, whatever old state still arrives.
  ///
  /// `oldStates`: how many of the states that replicas have left behind take part in the laws of catching up.
  public func finish(oldStates: Int, generator: inout some RandomNumberGenerator) -> [LawViolation] {
    let joined = replicas.reduce(into: State()) { $0.merge($1) }
    var found = joinViolations(replicas)
    found += deltaViolations(deltas, of: joined, rounds: 1, generator: &generator)
    found += Specification.furtherViolations(replicas + old.suffix(oldStates))
    found += encodingViolations(joined)
    if let delta = deltas.last { found += encodingViolations(delta) }
    let expected = Specification.expected(log, known: Set(log.indices))
    if Specification.view(joined) != expected {
      found.append(LawViolation("convergence", "\(Specification.view(joined)), not \(expected)"))
    }
    for state in old + deltas where joined.merging(state) != joined {
      found.append(LawViolation("a removed write returned", "\(state) into \(joined)"))
    }
    return found.map { LawViolation($0.law, "\($0.example) after \(steps)") }
  }
}

extension LatticeRun: Sendable where State: Sendable {}
