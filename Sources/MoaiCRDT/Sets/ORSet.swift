/// An add-wins set without tombstones (Bieniusa et al. 2012, "An optimized conflict-free replicated set"; Riak's
/// `riak_dt_orswot`; rule §4.2).
///
/// Each add puts the element under a dot of its own and replaces the dots that it saw; a remove removes the dots that it
/// saw. An add that the remove had not seen keeps its dot, so it wins. A removed dot stays in the context, which says
/// "seen": that is what keeps it from coming back with an old state, and it costs nothing where numbers have no gaps.
///
/// ```swift
/// var here = ORSet<UTF8String>()
/// here.insert("task-1", dot: Dot(laptop, 1))
/// var there = here
/// there.insert("task-1", dot: Dot(server, 1))
/// here.remove("task-1")
/// here.merge(there)  // task-1 is there: the server's insert was not seen by the remove
/// ```
///
/// Insert, remove and lookup are O(1) in the number of elements. Elements iterate in no particular order.
public struct ORSet<Element: Hashable & Sendable>: CausalLattice {
  @usableFromInline var state: Causal<DotMap<Element, DotSet>>

  @inlinable
  public init() {
    state = Causal()
  }

  @usableFromInline
  init(_ state: Causal<DotMap<Element, DotSet>>) {
    self.state = state
  }

  @inlinable
  public var count: Int { state.store.count }

  @inlinable
  public var isEmpty: Bool { state.store.isEmpty }

  /// The elements, in no particular order. O(n).
  @inlinable
  public var elements: [Element] { state.store.keys }

  @inlinable
  public func contains(_ element: Element) -> Bool { state.store[element] != nil }

  /// The inserts of `element` that nothing has removed.
  @inlinable
  public func dots(of element: Element) -> [Dot] { state.store[element]?.dots ?? [] }

  @inlinable
  public var context: CausalContext { state.context }

  /// Inserts `element`, also if it is there already: the insert then survives removes made apart that had seen only
  /// the older ones. Returns the delta.
  ///
  /// - Precondition: `dot` was never used before; ``CausalContext/next(for:)`` gives it.
  @inlinable
  @discardableResult
  public mutating func insert(_ element: Element, dot: Dot) -> Self {
    Self(state.replace(dots(of: element), by: DotMap(element, DotSet(dot, Presence()))))
  }

  /// Removes `element` as far as its inserts have been seen here. Returns the delta, which changes nothing if there
  /// are none.
  @inlinable
  @discardableResult
  public mutating func remove(_ element: Element) -> Self {
    Self(state.replace(dots(of: element), by: DotMap()))
  }

  /// Removes every element as far as its inserts have been seen here. Returns the delta.
  @inlinable
  @discardableResult
  public mutating func removeAll() -> Self {
    Self(state.replace(state.store.dots, by: DotMap()))
  }

  @inlinable
  public mutating func merge(_ other: Self) {
    state.merge(other.state)
  }

  @inlinable
  public func delta(since seen: CausalContext) -> Self {
    Self(state.delta(since: seen))
  }

  public func checkInvariants() -> [String] { state.checkInvariants() }
}

extension ORSet: BinaryLattice where Element: BinaryValue {
  @inlinable
  public static var kind: LatticeKind { .addWinsSet }

  @inlinable
  public func encodeBody(into writer: inout ByteWriter) {
    state.encodeBody(into: &writer)
  }

  @inlinable
  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    self.init(try Causal(body: &reader, limits: limits))
  }
}
