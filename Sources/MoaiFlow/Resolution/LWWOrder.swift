import MoaiCRDT

/// Which part of the last-writer-wins order told two versions apart (rule §3.4).
enum LWWRule: String, Sendable {
  case timestamp
  case agent = "agent_id"
  case version
  case value
  /// The canonical bytes of the fields that are left.
  case rest
}

extension StateVersion {
  /// The order of last-writer-wins (rule §3.4): (timestamp, agent, version, canonical value, canonical bytes of the rest
  /// without `metadata`). Negative where `left` is older. Zero only where they differ in nothing but metadata.
  static func lwwOrder(_ left: StateVersion, _ right: StateVersion) -> Int {
    if left.timestamp != right.timestamp { return left.timestamp < right.timestamp ? -1 : 1 }
    let agents = compareUTF8(left.agent.string, right.agent.string)
    if agents != 0 { return agents }
    if left.version != right.version { return left.version < right.version ? -1 : 1 }
    let values = StateValue.canonicalOrder(left.value, right.value)
    return values != 0 ? values : restOrder(left, right)
  }

  /// The last part of ``lwwOrder(_:_:)``.
  static func restOrder(_ left: StateVersion, _ right: StateVersion) -> Int {
    if left.vectorClock == nil, right.vectorClock == nil, left.crdtType == right.crdtType, left.crdtState == nil,
      right.crdtState == nil
    {
      return 0
    }
    return StateValue.canonicalOrder(left.rest, right.rest)
  }

  /// What decided between this version and a greater one.
  func ruleBelow(_ winner: StateVersion) -> LWWRule {
    if timestamp != winner.timestamp { return .timestamp }
    if agent != winner.agent { return .agent }
    if version != winner.version { return .version }
    return value != winner.value ? .value : .rest
  }

  /// Equal in every field but metadata.
  func isSameVersion(as other: StateVersion) -> Bool {
    StateVersion.lwwOrder(self, other) == 0 && key == other.key
  }
}
