/// A state whose merge is a join: commutative, associative, idempotent (Shapiro et al. 2011, "state-based CRDT").
///
/// A **delta** is a value of the same type that holds only what one or several operations changed (Almeida, Shoker,
/// Baquero 2018): merging deltas in any order, repeatedly, and through others, ends in the same state as merging whole
/// states. A lattice never stores whose it is: replica, dot and timestamp are arguments of the operation, so equal
/// states are equal values.
public protocol Lattice: Equatable, Sendable {
  /// The least state, which changes nothing when merged.
  init()

  /// Makes this state the least one that includes both.
  mutating func merge(_ other: Self)

  /// What is broken in the representation, in words; empty when nothing is. O(n), for tests and for data of doubtful
  /// origin.
  func checkInvariants() -> [String]
}

extension Lattice {
  @inlinable
  public func merging(_ other: Self) -> Self {
    var joined = self
    joined.merge(other)
    return joined
  }
}

/// A lattice that knows which writes it has seen, and so can tell what another one lacks.
public protocol CausalLattice: Lattice {
  /// The writes that this state includes, those that were overwritten or removed since among them.
  var context: CausalContext { get }

  /// What a state that has seen `seen` lacks: merged there, it makes that state include this one. Merged into a state
  /// that has seen less it is a correct delta too, which leaves a gap in the context until the rest arrives.
  func delta(since seen: CausalContext) -> Self
}
