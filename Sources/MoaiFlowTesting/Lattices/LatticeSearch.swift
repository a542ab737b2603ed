/// Ways through the runs of a lattice: all short ones, and long ones by chance.
public enum LatticeSearch<Specification: LatticeSpecification> {
  public typealias Run = LatticeRun<Specification>

  /// Tries every sequence of `length` steps among `replicas` replicas, an operation or a merge each, but merges without
  /// news. The first operation is replica 0's. Stops at the first violation.
  ///
  /// - Returns: the violations, and how many sequences were tried.
  public static func exhaust(replicas: Int, length: Int) -> (violations: [LawViolation], runs: Int) {
    var merges: [Run.Step] = []
    for source in 0..<replicas {
      for target in 0..<replicas where source != target { merges.append(.merge(source: source, target: target)) }
    }
    var generator = SplitMix64(seed: 1)
    var runs = 0
    func search(_ run: Run, _ left: Int) -> [LawViolation] {
      guard left > 0 else {
        runs += 1
        return run.finish(oldStates: 0, generator: &generator)
      }
      let writers = run.log.isEmpty ? 0..<1 : 0..<replicas
      let performs = writers.flatMap { replica in
        Specification.operations.map { Run.Step.perform($0, replica: replica) }
      }
      for step in performs + merges where run.isWorthTaking(step) {
        var next = run
        var found = next.take(step)
        if found.isEmpty { found = search(next, left - 1) }
        if !found.isEmpty { return found }
      }
      return []
    }
    let found = search(Run(replicas: replicas), length)
    return (found, runs)
  }

  /// Takes `length` steps by chance: two thirds operations, the rest merges and catch-ups.
  public static func wander(seed: UInt64, replicas: Int, length: Int) -> [LawViolation] {
    var generator = SplitMix64(seed: seed)
    var run = Run(replicas: replicas)
    for _ in 0..<length {
      let replica = generator.below(replicas)
      let other = (replica + 1 + generator.below(replicas - 1)) % replicas
      let step: Run.Step =
        switch generator.below(6) {
        case 0: .merge(source: other, target: replica)
        case 1: .catchUp(source: other, target: replica)
        default:
          .perform(
            Specification.manyOperations[generator.below(Specification.manyOperations.count)], replica: replica)
        }
      let found = run.take(step)
      if !found.isEmpty { return found }
    }
    return run.finish(oldStates: 3, generator: &generator)
  }
}
