import MoaiCRDT

/// What a join was made of, carried by its result as `crdt_state`, so that a later join continues from it instead of
/// counting the result as one more write (rule §3.1).
public enum ResolutionState: Hashable, Sendable {
  case vector(VectorState)
  case crdt(SnapshotState)
  case custom(CustomState)
}

extension ResolutionState {
  /// `docs/Resolution.md` describes the forms. Each is an object with one field, which names the strategy.
  var json: StateObject {
    switch self {
    case .vector(let state): ["vector": state.json]
    case .crdt(let state): ["crdt": state.json]
    case .custom(let state): ["custom": state.json]
    }
  }

  init(json: StateValue, declared: CRDTType?, limits: ValueLimits) throws(StateVersionError) {
    let field = JSONPointer("crdt_state")
    guard case .object(let object) = json, object.count == 1, let only = object.fields.first else {
      throw StateVersionError(field, "must be an object with one field: vector, crdt or custom")
    }
    switch only.name {
    case "vector": self = .vector(try VectorState(json: only.value, at: field.appending("vector"), limits: limits))
    case "crdt":
      self = .crdt(
        try SnapshotState(json: only.value, declared: declared, at: field.appending("crdt"), limits: limits))
    case "custom": self = .custom(try CustomState(json: only.value, at: field.appending("custom"), limits: limits))
    default: throw StateVersionError(field.appending(only.name.string), "must be vector, crdt or custom")
    }
  }

  /// Whose writes the state holds, ascending.
  var agents: [UTF8String] {
    switch self {
    case .vector(let state): ascending(state.elements.map(\.agent))
    case .crdt(let state): state.contributions.map(\.agent)
    case .custom(let state): ascending(state.inputs.map(\.agent))
    }
  }

  private func ascending(_ agents: [UTF8String]) -> [UTF8String] {
    Set(agents).sorted()
  }

  /// Refuses a version that is not what this state is seen as (rule §3.3).
  func check(against version: StateVersion, limits: ValueLimits) throws(StateVersionError) {
    switch self {
    case .vector(let state): try state.check(against: version)
    case .crdt(let state): try state.check(against: version, limits: limits)
    case .custom(let state): try state.check(against: version)
    }
  }
}

/// Refuses a field of a version that is not what its `crdt_state` says.
func requireView(_ holds: Bool, _ field: String, _ expected: @autoclosure () -> String) throws(StateVersionError) {
  guard holds else { throw StateVersionError(field, "is not the view of crdt_state, which is \(expected())") }
}
