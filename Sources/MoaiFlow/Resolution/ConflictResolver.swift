public import MoaiCRDT

/// Makes one version out of several of the same key, by one of three joins (section 3 of the rules).
///
///     let resolver = ConflictResolver(strategy: .crdt)
///     let resolution = try resolver.resolve([mine, theirs], for: "tasks")
///     resolution.value
///
/// Versions may come in any order, repeated and in steps: a result is itself an input of a later resolution, and the
/// outcome is that of resolving everything at once (rule §3.1). Where the join says what one input says already, that
/// input is the result. Nothing is read but the arguments: no clock, no identity, no memory between calls.
///
/// It needs no swarm. Inside a swarm the state keeps every write's causality itself and this type is not involved,
/// except to settle proposed versions.
public struct ConflictResolver: Sendable {
  public let strategy: ResolutionStrategy
  /// By how many milliseconds a winner may be ahead of all others before `skew_ms` says so (rule §3.4).
  public let driftBound: Int64
  /// What a joined value may be; a greater one is an error.
  public let limits: ValueLimits

  public init(strategy: ResolutionStrategy, driftBound: Int64 = 60_000, limits: ValueLimits = .default) {
    self.strategy = strategy
    self.driftBound = driftBound
    self.limits = limits
  }

  /// Resolves versions that must all be of `key`.
  ///
  /// `lww` costs one pass and allocates nothing. `vector` compares every version with the undominated ones before it.
  /// `crdt` sorts by agent.
  ///
  /// `time`: reported as `resolved_at`; it decides nothing.
  public func resolve(
    _ versions: [StateVersion], for key: String, at time: Timestamp? = nil
  ) throws(ResolutionError) -> Resolution {
    let declared = try declaredType(of: versions, key: key)
    let outcome =
      switch strategy {
      case .lww: Resolution.Outcome.input(ConflictResolver.newest(versions))
      case .vector: try joinWrites(versions)
      case .crdt: try joinSnapshots(versions, declared: declared)
      case .custom(let custom): try joinInputs(versions, custom)
      }
    return Resolution(
      inputs: versions, outcome: outcome, strategy: strategy, driftBound: driftBound, resolvedAt: time)
  }

  /// Resolves versions of whatever key the first one has.
  public func resolve(
    _ versions: [StateVersion], at time: Timestamp? = nil
  ) throws(ResolutionError) -> Resolution {
    guard let first = versions.first else { throw ResolutionError(.noVersions) }
    return try resolve(versions, for: first.key.name.string, at: time)
  }

  /// The checks that every strategy makes: at least one version, one key, at most one declared type.
  func declaredType(of versions: [StateVersion], key: String) throws(ResolutionError) -> CRDTType? {
    guard !versions.isEmpty else { throw ResolutionError(.noVersions) }
    let key = UTF8String(key)
    return try versions.withUnsafeBufferPointer { versions throws(ResolutionError) in
      var declared: CRDTType?
      for index in versions.indices {
        guard versions[index].key.name == key else {
          throw ResolutionError(.anotherKey(versions[index].key, expected: key), at: index)
        }
        guard let type = versions[index].crdtType else { continue }
        if let declared, declared != type { throw ResolutionError(.typesDiffer(type, declared), at: index) }
        declared = type
      }
      return declared
    }
  }

  /// The index of the greatest version; of equal ones the first.
  private static func newest(_ versions: [StateVersion]) -> Int {
    versions.withUnsafeBufferPointer { versions in
      var newest = 0
      var timestamp = versions[0].timestamp
      for index in 1..<max(1, versions.count) {
        let candidate = versions[index].timestamp
        if candidate < timestamp { continue }
        if candidate > timestamp || StateVersion.lwwOrder(versions[index], versions[newest]) > 0 {
          newest = index
          timestamp = candidate
        }
      }
      return newest
    }
  }

  /// One more than the greatest version: that of a join which is no input.
  func nextVersion(after versions: [StateVersion]) throws(ResolutionError) -> Int64 {
    var greatest = 0
    for index in versions.indices where versions[index].version > versions[greatest].version { greatest = index }
    guard versions[greatest].version < StateVersion.maxVersion else {
      throw ResolutionError(.versionOutOfRange, at: greatest)
    }
    return versions[greatest].version + 1
  }
}
