public import MoaiCRDT

/// A law that a lattice broke, with the case that shows it.
public struct LawViolation: Hashable, Sendable, CustomStringConvertible {
  public let law: String
  public let example: String

  public init(_ law: String, _ example: String) {
    self.law = law
    self.example = example
  }

  public var description: String { "\(law): \(example)" }
}

/// Merging is a join (rule §4.9): commutative, associative, idempotent, with the empty state as its least element.
///
/// `states`: states that can occur together, from a handful of replicas; all pairs and triples are tried.
public func joinViolations<State: Lattice>(_ states: [State]) -> [LawViolation] {
  var found: [LawViolation] = []
  for (first, a) in states.enumerated() {
    if a.merging(a) != a { found.append(LawViolation("idempotent", "\(a)")) }
    if a.merging(State()) != a || State().merging(a) != a { found.append(LawViolation("least element", "\(a)")) }
    for (second, b) in states.enumerated().dropFirst(first + 1) {
      let ab = a.merging(b)
      for complaint in ab.checkInvariants() { found.append(LawViolation("invariant", "\(complaint) in \(ab)")) }
      if ab != b.merging(a) { found.append(LawViolation("commutative", "\(a) and \(b)")) }
      if ab.merging(b) != ab || ab.merging(a) != ab { found.append(LawViolation("absorbing", "\(a) and \(b)")) }
      for c in states.dropFirst(second + 1) {
        let abc = ab.merging(c)
        // With commutativity checked above, these are all the ways to group three.
        if abc != a.merging(b.merging(c)) || abc != a.merging(c).merging(b) {
          found.append(LawViolation("associative", "\(a), \(b) and \(c)"))
        }
      }
    }
  }
  return found
}

/// Deltas in any order, repeated, lost and sent again give the state (rule §4.9).
///
/// * `deltas`: every delta that led to `state`, from whichever replica.
/// * `rounds`: how many random orders are tried, beside the given one and its reverse.
public func deltaViolations<State: Lattice>(
  _ deltas: [State], of state: State, rounds: Int, generator: inout some RandomNumberGenerator
) -> [LawViolation] {
  var orders = [deltas, deltas.reversed()]
  for _ in 0..<rounds {
    // Twice each, shuffled: every delta comes late, early and again.
    orders.append((deltas + deltas).shuffled(using: &generator))
  }
  return orders.compactMap { order in
    let joined = order.reduce(into: State()) { $0.merge($1) }
    return joined == state ? nil : LawViolation("deltas", "\(order) give \(joined), not \(state)")
  }
}

/// What `delta(since:)` answers brings a state that has seen that much up to date, and is a correct delta for one that
/// has seen less.
public func catchUpViolations<State: CausalLattice>(_ states: [State]) -> [LawViolation] {
  var found: [LawViolation] = []
  for (from, source) in states.enumerated() {
    for (to, target) in states.enumerated() where from != to {
      let delta = source.delta(since: target.context)
      for complaint in delta.checkInvariants() { found.append(LawViolation("invariant", "\(complaint) in \(delta)")) }
      let joined = target.merging(source)
      if target.merging(delta) != joined { found.append(LawViolation("catch up", "\(target) from \(source)")) }
      if State().merging(delta).merging(target) != joined {
        found.append(LawViolation("early delta", "\(delta), then \(target)"))
      }
    }
  }
  return found
}
