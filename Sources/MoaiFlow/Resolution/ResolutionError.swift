public import MoaiCRDT

/// Why versions could not be resolved (rule §3.3). Nothing is decided then.
public struct ResolutionError: Error, Hashable, Sendable {
  public enum Reason: Hashable, Sendable {
    case noVersions
    /// A version is of another key.
    case anotherKey(StateKey, expected: UTF8String)
    /// Two versions declare different types.
    case typesDiffer(CRDTType, CRDTType)
    /// A contribution is nothing that its type can hold.
    case misfit(CRDTType)
    /// The coordinator contributes nothing; its results carry `crdt_state`.
    case coordinatorAsAgent
    /// The version was merged from several agents' but does not carry them: they would count twice.
    case mergedWithoutState
    /// `crdt_state` was made by a strategy whose results this one cannot take apart.
    case foreignState
    /// The sum is no 64-bit integer, or as a double not finite.
    case sumOutOfRange
    /// The greatest version is the last one that a version can have.
    case versionOutOfRange
    /// The joined value is over a limit.
    case valueRefused(ValueError)
    /// A custom strategy has more distinct inputs than its result can carry.
    case tooManyInputs
    /// What a custom strategy makes of the inputs in `crdt_state` is not `value`.
    case notTheView
  }

  public let reason: Reason
  /// The index of the version that is to blame; nil where it is all of them together.
  public let index: Int?

  init(_ reason: Reason, at index: Int? = nil) {
    self.reason = reason
    self.index = index
  }
}

extension ResolutionError {
  /// Inside the array of versions: `/1/state_key`.
  public var field: JSONPointer {
    guard let index else { return .root }
    let version = JSONPointer.root.appending(index)
    return switch reason {
    case .anotherKey: version.appending("state_key")
    case .typesDiffer: version.appending("crdt_type")
    case .misfit, .notTheView: version.appending("value")
    case .coordinatorAsAgent: version.appending("agent_id")
    case .mergedWithoutState: version.appending("metadata").appending("merged_from_agents")
    case .foreignState: version.appending("crdt_state")
    case .versionOutOfRange: version.appending("version")
    case .noVersions, .sumOutOfRange, .valueRefused, .tooManyInputs: version
    }
  }

  /// What is wrong, without where.
  public var detail: String {
    switch reason {
    case .noVersions: "there are no versions to resolve"
    case .anotherKey(let key, let expected): "a version of \"\(key)\" among those of \"\(expected)\""
    case .typesDiffer(let found, let expected): "declared \(found.rawValue), another version \(expected.rawValue)"
    case .misfit(let type): "a \(type.rawValue) is contributed to by \(type.expectation)"
    case .coordinatorAsAgent: "the coordinator's versions need crdt_state: without it they would count twice"
    case .mergedWithoutState: "a merged version needs crdt_state: without it its parts would count twice"
    case .foreignState: "made by another strategy: its parts would be taken for one write"
    case .sumOutOfRange: "the sum leaves the range of its numbers"
    case .versionOutOfRange: "the result's version would be over \(StateVersion.maxVersion)"
    case .valueRefused(let error): "joined, \(error)"
    case .tooManyInputs: "a custom strategy takes at most \(CustomStrategy.maxInputs) distinct versions"
    case .notTheView: "is not what the strategy makes of the inputs in crdt_state"
    }
  }

  func mapping(_ indices: [Int]) -> ResolutionError {
    ResolutionError(reason, at: index.map { indices[$0] })
  }
}

extension ResolutionError: CustomStringConvertible {
  public var description: String {
    field.isRoot ? detail : "\(field): \(detail)"
  }
}
