public import MoaiCRDT

/// Every agent's newest contribution, and the type if one was declared (rule §3.7).
///
/// The join takes of each agent the greatest snapshot by (version, timestamp, canonical value): it is commutative,
/// associative and idempotent. The type decides only how the state is seen.
public struct SnapshotState: Hashable, Sendable {
  public struct Contribution: Hashable, Sendable {
    public let agent: UTF8String
    public let version: Int64
    public let timestamp: Timestamp
    public let value: StateValue
  }

  public let declared: CRDTType?
  /// At least one; strictly ascending by agent.
  public let contributions: [Contribution]

  /// The declared type, else the one that fits all contributions.
  public var type: CRDTType {
    declared ?? CRDTType(inferredFrom: contributions.lazy.map(\.value))
  }

  /// The greatest timestamp of a contribution.
  var timestamp: Timestamp {
    contributions.lazy.map(\.timestamp).max() ?? Timestamp(milliseconds: 0)
  }

  /// Joins contributions in any order, of which an agent may have several. O(n log n).
  init(joining all: [Contribution], declared: CRDTType?) {
    let sorted = all.sorted { left, right in
      let agents = compareUTF8(left.agent.string, right.agent.string)
      return agents != 0 ? agents < 0 : Contribution.order(left, right) < 0
    }
    var newest: [Contribution] = []
    newest.reserveCapacity(sorted.count)
    for contribution in sorted {
      if let last = newest.last, last.agent == contribution.agent { newest.removeLast() }
      newest.append(contribution)
    }
    self.contributions = newest
    self.declared = declared
  }
}

extension StateVersion {
  /// The version as its agent's snapshot, without regard to a state that it carries.
  var contribution: SnapshotState.Contribution {
    SnapshotState.Contribution(agent: agent, version: version, timestamp: timestamp, value: value)
  }
}

extension SnapshotState.Contribution {
  /// The order of one agent's snapshots: (version, timestamp, canonical value).
  static func order(_ left: Self, _ right: Self) -> Int {
    if left.version != right.version { return left.version < right.version ? -1 : 1 }
    if left.timestamp != right.timestamp { return left.timestamp < right.timestamp ? -1 : 1 }
    return StateValue.canonicalOrder(left.value, right.value)
  }

  /// The order between agents: (timestamp, agent).
  static func isNewer(_ left: Self, than right: Self) -> Bool {
    left.timestamp == right.timestamp ? left.agent > right.agent : left.timestamp > right.timestamp
  }
}
