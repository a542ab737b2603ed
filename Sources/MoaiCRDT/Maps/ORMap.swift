/// A map whose fields are lattices over dots, and in which a write survives a remove that had not seen it (Almeida,
/// Shoker, Baquero 2018, section 7.4.4; rule §4.2).
///
/// With ``DotFun`` as field every key is a multi-value register, written with ``put(_:forKey:dot:)``; with ``DotSet`` an
/// add-wins flag; with ``DotMap`` a map again, changed through ``update(_:_:)``. All fields share the context of the
/// map. Keys iterate in no particular order.
public struct ORMap<Key: Hashable & Sendable, Field: DotStore>: CausalLattice {
  @usableFromInline var state: Causal<DotMap<Key, Field>>

  @inlinable
  public init() {
    state = Causal()
  }

  @usableFromInline
  init(_ state: Causal<DotMap<Key, Field>>) {
    self.state = state
  }

  @inlinable
  public var count: Int { state.store.count }

  @inlinable
  public var isEmpty: Bool { state.store.isEmpty }

  /// The keys, in no particular order. O(n).
  @inlinable
  public var keys: [Key] { state.store.keys }

  /// What is under `key`; nil if nothing is.
  @inlinable
  public subscript(key: Key) -> Field? { state.store[key] }

  @inlinable
  public var context: CausalContext { state.context }

  /// Removes what is visible under `key`, and returns the delta. Writes not seen here survive.
  @inlinable
  @discardableResult
  public mutating func remove(_ key: Key) -> Self {
    Self(state.replace(state.store[key]?.dots ?? [], by: DotMap()))
  }

  /// Changes the field of `key` as a lattice of its own, and returns the delta of the map.
  ///
  /// `change`: gets the field and the context of the map, and returns the delta of the field. New writes take
  /// dots that the context does not contain.
  @inlinable
  @discardableResult
  public mutating func update<Failure: Error>(
    _ key: Key, _ change: (Causal<Field>) throws(Failure) -> Causal<Field>
  ) throws(Failure) -> Self {
    let delta = try change(Causal(unchecked: state.store[key] ?? Field(), state.context))
    let wrapped = Self(Causal(unchecked: DotMap(key, delta.store), delta.context))
    merge(wrapped)
    return wrapped
  }

  @inlinable
  public mutating func merge(_ other: Self) {
    state.merge(other.state)
  }

  @inlinable
  public func delta(since seen: CausalContext) -> Self {
    Self(state.delta(since: seen))
  }

  /// The same without anything about one replica: neither its writes, nor that some of them are gone. For a replica that
  /// knows better than others what it wrote. O(n) where there is anything about it.
  @inlinable
  public func ignoring(_ replica: ReplicaID) -> Self {
    guard state.context.lastNumber(of: replica) > 0 else { return self }
    var store = state.store
    for dot in store.dots where dot.replica == replica { store.remove(dot) }
    let all = CausalContext(range: DotRange(replica, 1, .max))
    return Self(Causal(unchecked: store, state.context.subtracting(all)))
  }

  public func checkInvariants() -> [String] { state.checkInvariants() }
}

extension ORMap {
  /// Puts `value` in place of what is visible under `key`, and returns the delta. Of puts made apart all survive.
  ///
  /// - Precondition: `dot` was never used before; ``CausalContext/next(for:)`` gives it.
  @inlinable
  @discardableResult
  public mutating func put<Value>(_ value: Value, forKey key: Key, dot: Dot) -> Self where Field == DotFun<Value> {
    Self(state.replace(state.store[key]?.dots ?? [], by: DotMap(key, DotFun(dot, value))))
  }

  /// The values under `key` that no write has replaced, in dot order.
  @inlinable
  public func values<Value>(forKey key: Key) -> [Value] where Field == DotFun<Value> {
    state.store[key]?.map(\.value) ?? []
  }
}

extension ORMap: BinaryLattice where Key: BinaryValue, Field: BinaryDotStore {
  @inlinable
  public static var kind: LatticeKind { .addWinsMap }

  @inlinable
  public func encodeBody(into writer: inout ByteWriter) {
    state.encodeBody(into: &writer)
  }

  @inlinable
  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    self.init(try Causal(body: &reader, limits: limits))
  }
}
