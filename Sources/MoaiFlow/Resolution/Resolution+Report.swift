public import MoaiCRDT

/// A version, or a part of one, that the result does not show.
public struct Discarded: Hashable, Sendable {
  public let agent: UTF8String
  public let version: Int64
  /// The rule that decided: `timestamp`, `agent_id`, `version`, `value`, `rest` of the order of §3.4, `vector_clock` where another
  /// write had seen this one, `superseded` where the agent's own newer snapshot replaces it.
  public let rule: String
}

/// Rule §3.2.
extension Resolution {
  /// The result's own metadata and the report of this call. What an earlier resolution reported is replaced.
  public var metadata: StateObject {
    var metadata = Resolution.withoutReport(resolved.metadata)
    metadata = metadata.setting("resolution_strategy", to: StateValue(rule.name))
    let discarded = discarded
    if !discarded.isEmpty { metadata = metadata.setting("discarded", to: .array(discarded.map(\.json))) }
    if let state = resolved.crdtState {
      metadata = metadata.setting("merged_from_agents", to: .array(state.agents.map(StateValue.string)))
    }
    if let inferredType { metadata = metadata.setting("inferred", to: StateValue(inferredType.rawValue)) }
    if let skew { metadata = metadata.setting("skew_ms", to: .int(skew)) }
    if let resolvedAt { metadata = metadata.setting("resolved_at", to: StateValue(resolvedAt.rfc3339)) }
    return metadata
  }

  private static let reportFields: [UTF8String] = [
    "discarded", "inferred", "resolution_strategy", "resolved_at", "skew_ms",
  ]

  /// `merged_from_agents` stays: it says that a version without `crdt_state` must not be joined again.
  static func withoutReport(_ metadata: StateObject) -> StateObject {
    reportFields.reduce(metadata) { $0.removing($1) }
  }

  /// Whose versions the result does not show, in the order of the inputs, each once.
  public var discarded: [Discarded] {
    switch strategy {
    case .lww: losers
    case .vector: dominated
    case .crdt: superseded
    case .custom: []
    }
  }

  /// By how many milliseconds what was chosen by timestamp is ahead of everything it was chosen from, where that is more than the
  /// drift bound (rule §3.4): a clock that runs ahead wins every time, and this is where it shows.
  public var skew: Int64? {
    let chosen: Timestamp
    let others: [Timestamp]
    switch (strategy, resolved.crdtState) {
    case (.lww, _):
      let winner = resolved
      chosen = winner.timestamp
      others = inputs.filter { !$0.isSameVersion(as: winner) }.map(\.timestamp)
    case (.vector, .vector(let state)):
      chosen = state.elements[0].timestamp
      others = state.siblings.map(\.timestamp)
    case (.crdt, .crdt(let state)) where state.type == .register:
      let newest = state.newest
      chosen = newest.timestamp
      others = state.contributions.filter { $0.agent != newest.agent }.map(\.timestamp)
    default: return nil
    }
    guard let second = others.max() else { return nil }
    let skew = chosen.milliseconds - second.milliseconds
    return skew > driftBound ? skew : nil
  }

  /// The type that contributions are seen as where nobody declared one.
  public var inferredType: CRDTType? {
    guard case .crdt = strategy, case .crdt(let state) = resolved.crdtState, state.declared == nil else { return nil }
    return state.type
  }

  private var losers: [Discarded] {
    let winner = resolved
    return unique(
      inputs.lazy.filter { !$0.isSameVersion(as: winner) }.map {
        Discarded(agent: $0.agent, version: $0.version, rule: $0.ruleBelow(winner).rawValue)
      })
  }

  private var dominated: [Discarded] {
    let kept =
      if case .vector(let state) = resolved.crdtState { state.elements } else { [resolved.write] }
    let writes = inputs.flatMap { input -> [VectorState.Element] in
      if case .vector(let state) = input.crdtState { state.elements } else { [input.write] }
    }
    return unique(
      writes.lazy.filter { write in !kept.contains { $0.clock == write.clock && $0.value == write.value } }.map {
        Discarded(agent: $0.agent, version: $0.version, rule: "vector_clock")
      })
  }

  private var superseded: [Discarded] {
    let kept =
      if case .crdt(let state) = resolved.crdtState { state } else {
        SnapshotState(joining: [resolved.contribution], declared: resolved.crdtType)
      }
    let given = inputs.flatMap { input -> [SnapshotState.Contribution] in
      if case .crdt(let state) = input.crdtState { state.contributions } else { [input.contribution] }
    }
    let present = Set(kept.contributions)
    let replaced = given.lazy.filter { !present.contains($0) }.map {
      Discarded(agent: $0.agent, version: $0.version, rule: "superseded")
    }
    guard kept.type == .register else { return unique(replaced) }
    let newest = kept.newest
    let older = kept.contributions.lazy.filter { $0.agent != newest.agent }.map {
      Discarded(
        agent: $0.agent, version: $0.version,
        rule: ($0.timestamp == newest.timestamp ? LWWRule.agent : .timestamp).rawValue)
    }
    return unique(Array(replaced) + Array(older))
  }

  private func unique(_ all: some Sequence<Discarded>) -> [Discarded] {
    var seen: Set<Discarded> = []
    return all.filter { seen.insert($0).inserted }
  }
}

extension Discarded {
  public var json: StateValue {
    ["agent_id": .string(agent), "rule": StateValue(rule), "version": .int(version)]
  }
}
