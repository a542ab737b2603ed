import MoaiCRDT

/// Rule §3.9.
extension ConflictResolver {
  /// The keys whose versions are in conflict, ascending: for `lww` and `vector` those with more than one undominated
  /// write and different values among them; for `crdt` those with different contributions of several agents; for a
  /// custom strategy those with different values.
  ///
  /// A report for people. Resolving does not depend on it.
  public func detectConflicts(_ versions: [StateVersion]) throws(ResolutionError) -> [StateKey] {
    var groups: [StateKey: [Int]] = [:]
    for index in versions.indices { groups[versions[index].key, default: []].append(index) }
    var conflicts: [StateKey] = []
    for (key, indices) in groups.sorted(by: { $0.key < $1.key }) {
      do {
        let group = indices.map { versions[$0] }
        _ = try declaredType(of: group, key: key.name.string)
        if try hasConflict(group) { conflicts.append(key) }
      } catch {
        throw error.mapping(indices)
      }
    }
    return conflicts
  }

  private func hasConflict(_ versions: [StateVersion]) throws(ResolutionError) -> Bool {
    switch strategy {
    case .lww, .vector: return differ(vectorJoin(of: versions).elements.map(\.value))
    case .crdt:
      let state = SnapshotState(joining: try contributions(of: versions), declared: nil)
      return differ(state.contributions.map(\.value))
    case .custom: return differ(versions.map(\.value))
    }
  }

  private func differ(_ values: [StateValue]) -> Bool {
    values.dropFirst().contains { $0 != values[0] }
  }
}
