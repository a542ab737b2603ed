import MoaiCRDT

/// What a resolution came to. It keeps the inputs and decides nothing more; the report is made when it is asked for.
public struct Resolution: Sendable {
  enum Outcome: Sendable {
    /// The join is what this input says.
    case input(Int)
    /// Writes that are nobody's version together; `version` is the number of the version that they become.
    case written(VectorState, clock: VectorClock<UTF8String>, version: Int64)
    indirect case joined(StateVersion)
  }

  /// By which rule the value came about: `resolution_strategy` in the metadata.
  public enum Rule: Hashable, Sendable {
    case lww
    /// One write has seen all others.
    case vectorCausal
    /// Last-writer-wins among concurrent writes; the others are siblings.
    case vectorConcurrentLWW
    case crdt
    case custom(String)

    public var name: String {
      switch self {
      case .lww: "lww"
      case .vectorCausal: "vector_causal"
      case .vectorConcurrentLWW: "vector_concurrent_lww"
      case .crdt: "crdt"
      case .custom(let name): name
      }
    }
  }

  public let inputs: [StateVersion]
  let outcome: Outcome
  let strategy: ResolutionStrategy
  let driftBound: Int64
  let resolvedAt: Timestamp?

  /// The index of the input that is the result; nil where the join is none of them.
  public var inputIndex: Int? {
    if case .input(let index) = outcome { index } else { nil }
  }

  /// The result without the report of this call: an input exactly as it was given, or the join.
  public var resolved: StateVersion {
    switch outcome {
    case .input(let index): inputs[index]
    case .written(let state, let clock, let version):
      StateVersion(
        joined: inputs[0].key, value: state.shown.value, version: version, timestamp: state.shown.timestamp,
        agent: state.shown.agent, vectorClock: clock, crdtType: nil, crdtState: .vector(state), metadata: .empty)
    case .joined(let version): version
    }
  }

  /// The result with the report of this call in its metadata (rule §3.2).
  public var version: StateVersion {
    resolved.with(metadata: metadata)
  }

  public var value: StateValue {
    switch outcome {
    case .input(let index): inputs[index].value
    case .written(let state, _, _): state.shown.value
    case .joined(let version): version.value
    }
  }

  public var rule: Rule {
    switch strategy {
    case .lww: .lww
    case .vector: carriesWrites ? .vectorConcurrentLWW : .vectorCausal
    case .crdt: .crdt
    case .custom(let strategy): .custom(strategy.name)
    }
  }

  private var carriesWrites: Bool {
    if case .vector = resolved.crdtState { true } else { false }
  }
}
