/// A dot store with the context of everything it has seen: a causal lattice (Almeida, Shoker, Baquero 2018, section 7).
///
/// ``MVRegister``, ``ORSet`` and ``ORMap`` are this over different stores. There are no tombstones: a write that is in
/// the context and not in the store has been overwritten or removed.
@frozen
public struct Causal<Store: DotStore>: CausalLattice {
  @usableFromInline var storedStore: Store
  @usableFromInline var storedContext: CausalContext

  @inlinable
  public var store: Store { storedStore }

  @inlinable
  public var context: CausalContext { storedContext }

  @inlinable
  public init() {
    storedStore = Store()
    storedContext = CausalContext()
  }

  /// - Precondition: `context` contains every dot of `store`. Checked in debug builds.
  @inlinable
  public init(store: Store, context: CausalContext) {
    storedStore = store
    storedContext = context
    assert(checkInvariants().isEmpty, "\(checkInvariants())")
  }

  @inlinable
  init(unchecked store: Store, _ context: CausalContext) {
    storedStore = store
    storedContext = context
  }

  /// O(log n) per range of the other's context and O(1) per write in it, for the stores of this library.
  @inlinable
  public mutating func merge(_ other: Self) {
    storedStore.join(other.storedStore, seen: storedContext, otherSeen: other.storedContext)
    storedContext.merge(other.storedContext)
  }

  /// The writes that `seen` lacks, and which of those in `seen` are gone.
  ///
  /// The second part is the price of keeping no tombstones: nothing records when a write went, so all runs of gone
  /// writes that `seen` contains are named, a few bytes each, and found by one pass over what is there. Where nothing
  /// was ever overwritten or removed, the cost is what changed. Replicas in steady contact do better by keeping the
  /// deltas that the operations return, merged, until they are acknowledged.
  @inlinable
  public func delta(since seen: CausalContext) -> Self {
    var lacking = Store()
    lacking.join(storedStore, seen: seen, otherSeen: CausalContext())
    let kept = storedStore.dots(in: seen)
    return Causal(store: lacking, context: storedContext.subtracting(kept))
  }

  /// Replaces the writes `old` by those of `new`, and returns the delta that does the same elsewhere.
  @inlinable
  mutating func replace(_ old: some Sequence<Dot>, by new: Store) -> Self {
    var context = CausalContext(old)
    new.forEachDot { dot in
      precondition(dot.number > 0 && !storedContext.contains(dot), "a dot names one write, and \(dot) is already used")
      context.insert(dot)
    }
    let delta = Causal(store: new, context: context)
    merge(delta)
    return delta
  }
}

extension Causal {
  /// What is broken, in words; empty when nothing is.
  public func checkInvariants() -> [String] {
    var broken = store.checkInvariants() + context.checkInvariants()
    store.forEachDot { dot in
      if !context.contains(dot) { broken.append("the context lacks \(dot)") }
    }
    return broken
  }
}
