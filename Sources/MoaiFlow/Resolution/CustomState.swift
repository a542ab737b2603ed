public import MoaiCRDT

/// The distinct inputs of a custom strategy, ascending by the order of rule §3.4 (rule §3.8).
public struct CustomState: Hashable, Sendable {
  public let strategy: UTF8String
  /// Two to ``CustomStrategy/maxInputs``. Metadata counts here: the function may look at it.
  public let inputs: [StateVersion]

  /// Drops repeats; nil where more are left than a result can carry.
  init?(strategy: UTF8String, joining all: [StateVersion]) {
    var distinct: [StateVersion] = []
    for version in all.sorted(by: { CustomState.order($0, $1) < 0 }) {
      if let last = distinct.last, CustomState.order(last, version) == 0 { continue }
      distinct.append(version)
    }
    guard distinct.count <= CustomStrategy.maxInputs else { return nil }
    self.strategy = strategy
    inputs = distinct
  }

  private static func order(_ left: StateVersion, _ right: StateVersion) -> Int {
    let order = StateVersion.lwwOrder(left, right)
    return order != 0 ? order : StateValue.canonicalOrder(.object(left.metadata), .object(right.metadata))
  }

  var timestamp: Timestamp { inputs[inputs.count - 1].timestamp }

  var json: StateValue {
    ["strategy": .string(strategy), "inputs": .array(inputs.map(\.json))]
  }

  init(json: StateValue, at field: JSONPointer, limits: ValueLimits) throws(StateVersionError) {
    let object = try FieldReader(json, at: field, allowing: ["inputs", "strategy"])
    let place = field.appending("inputs")
    guard case .array(let values) = try object.required("inputs"),
      (2...CustomStrategy.maxInputs).contains(values.count)
    else { throw StateVersionError(place, "must be an array of 2 to \(CustomStrategy.maxInputs) versions") }
    var inputs: [StateVersion] = []
    for (index, value) in values.enumerated() {
      let input: StateVersion
      do {
        input = try StateVersion(json: value, limits: limits)
      } catch {
        throw error.under(place.appending(index))
      }
      if case .custom = input.crdtState {
        throw StateVersionError(place.appending(index).appending("crdt_state"), "an input is no result itself")
      }
      if let last = inputs.last, CustomState.order(last, input) >= 0 {
        throw StateVersionError(place.appending(index), "is not greater than the version before it")
      }
      inputs.append(input)
    }
    strategy = try object.text("strategy")
    self.inputs = inputs
  }

  /// The value is checked where the function is known, when the state is joined.
  func check(against version: StateVersion) throws(StateVersionError) {
    try requireView(inputs.allSatisfy { $0.key == version.key }, "state_key", "\(inputs[0].key)")
    try requireView(version.agent == coordinator, "agent_id", "\(coordinator)")
    try requireView(version.timestamp == timestamp, "timestamp", timestamp.rfc3339)
    try requireView(version.vectorClock == nil, "vector_clock", "without a clock")
    try requireView(version.crdtType == nil, "crdt_type", "without a type")
  }
}
