/// A register that keeps every value that no later write has seen (multi-value register; Shapiro et al. 2011, section
/// 3.2.2; rule §4.2).
///
/// An assignment replaces what is visible where it is made. Of assignments made apart all survive, and the reader
/// decides; assigning again settles it. Where one value must win by itself use ``LWWRegister``, and lose the others.
public struct MVRegister<Value: Equatable & Sendable>: CausalLattice {
  @usableFromInline var state: Causal<DotFun<Value>>

  @inlinable
  public init() {
    state = Causal()
  }

  @usableFromInline
  init(_ state: Causal<DotFun<Value>>) {
    self.state = state
  }

  /// The values that no write has replaced, in dot order; more than one after assignments made apart.
  @inlinable
  public var values: [Value] { state.store.map(\.value) }

  /// The same, each with the dot of its write.
  @inlinable
  public var writes: DotFun<Value> { state.store }

  @inlinable
  public var context: CausalContext { state.context }

  /// Assigns `value` in place of all visible ones, and returns the delta.
  ///
  /// - Precondition: `dot` was never used before; ``CausalContext/next(for:)`` gives it.
  @inlinable
  @discardableResult
  public mutating func assign(_ value: Value, dot: Dot) -> Self {
    Self(state.replace(state.store.dots, by: DotFun(dot, value)))
  }

  /// Removes all visible values, and returns the delta. An assignment not seen here survives.
  @inlinable
  @discardableResult
  public mutating func clear() -> Self {
    Self(state.replace(state.store.dots, by: DotFun()))
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

extension MVRegister: BinaryLattice where Value: BinaryValue {
  @inlinable
  public static var kind: LatticeKind { .multiValueRegister }

  @inlinable
  public func encodeBody(into writer: inout ByteWriter) {
    state.encodeBody(into: &writer)
  }

  @inlinable
  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    self.init(try Causal(body: &reader, limits: limits))
  }
}
