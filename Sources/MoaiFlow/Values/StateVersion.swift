public import MoaiCRDT

/// One agent's version of a shared value (rule §2.2): what is compared, joined and returned by ``ConflictResolver``.
///
///     let mine = try StateVersion(
///       key: StateKey("tasks"), value: ["task-1"], version: 3, timestamp: now, agent: "alice", crdtType: .set)
///
/// A version cannot be built in an invalid state: every initialiser checks, and names the field that is to blame.
public struct StateVersion: Hashable, Sendable {
  public let key: StateKey
  public let value: StateValue
  /// At least 0, below 2⁶³ − 1.
  public let version: Int64
  /// In the years 0000 to 9999.
  public let timestamp: Timestamp
  /// Any text of 1 to 512 bytes; not limited to the names of registered agents.
  public let agent: UTF8String
  public let vectorClock: VectorClock<UTF8String>?
  /// As declared by the writer; nil where nobody declared one, also where a type was inferred.
  public let crdtType: CRDTType?
  /// What was joined, where this version is the result of a join that is none of its inputs.
  public let crdtState: ResolutionState?
  public let metadata: StateObject

  /// The concurrent writes that last-writer-wins did not show (rule §3.6), greatest first.
  public var siblings: ArraySlice<VectorState.Element> {
    if case .vector(let state) = crdtState { state.siblings } else { [] }
  }

  public static let maxVersion = Int64.max - 1

  /// Takes `vector_clock` and `crdt_type` from `metadata` where they are not given; where both are given they must
  /// agree.
  public init(
    key: StateKey, value: StateValue, version: Int64, timestamp: Timestamp, agent: UTF8String,
    vectorClock: VectorClock<UTF8String>? = nil, crdtType: CRDTType? = nil, crdtState: ResolutionState? = nil,
    metadata: StateObject = .empty, limits: ValueLimits = .default
  ) throws(StateVersionError) {
    guard (0...StateVersion.maxVersion).contains(version) else {
      throw StateVersionError("version", "\(version) is not between 0 and \(StateVersion.maxVersion)")
    }
    guard Timestamp.writableMilliseconds.contains(timestamp.milliseconds) else {
      throw StateVersionError("timestamp", "the time leaves the years 0000 to 9999")
    }
    try StateVersion.checkAgent(agent, JSONPointer("agent_id"))
    try StateVersion.check(value, limits, "value")
    try StateVersion.check(.object(metadata), limits, "metadata")
    self.key = key
    self.value = value
    self.version = version
    self.timestamp = timestamp
    self.agent = agent
    self.vectorClock = try StateVersion.agreed(
      vectorClock, try StateVersion.clock(metadata["vector_clock"], JSONPointer("metadata").appending("vector_clock")),
      field: "vector_clock")
    self.crdtType = try StateVersion.agreed(
      crdtType, try StateVersion.type(metadata["crdt_type"], JSONPointer("metadata").appending("crdt_type")),
      field: "crdt_type")
    self.crdtState = crdtState
    self.metadata = metadata
    for entry in self.vectorClock?.entries ?? [] {
      try StateVersion.checkAgent(entry.id, JSONPointer("vector_clock").appending(entry.id.string))
      guard entry.number <= UInt64(Int64.max) else {
        throw StateVersionError(
          JSONPointer("vector_clock").appending(entry.id.string), "\(entry.number) is over 2^63 - 1")
      }
    }
    try crdtState?.check(against: self, limits: limits)
  }

  /// The result of a join, whose parts are known to agree.
  init(
    joined key: StateKey, value: StateValue, version: Int64, timestamp: Timestamp, agent: UTF8String,
    vectorClock: VectorClock<UTF8String>?, crdtType: CRDTType?, crdtState: ResolutionState?, metadata: StateObject
  ) {
    self.key = key
    self.value = value
    self.version = version
    self.timestamp = timestamp
    self.agent = agent
    self.vectorClock = vectorClock
    self.crdtType = crdtType
    self.crdtState = crdtState
    self.metadata = metadata
  }

  /// The same version with other metadata.
  func with(metadata: StateObject) -> StateVersion {
    StateVersion(
      joined: key, value: value, version: version, timestamp: timestamp, agent: agent, vectorClock: vectorClock,
      crdtType: crdtType, crdtState: crdtState, metadata: metadata)
  }

  private static func agreed<Field: Equatable>(
    _ given: Field?, _ inMetadata: Field?, field: String
  ) throws(StateVersionError) -> Field? {
    guard let given, let inMetadata, given != inMetadata else { return given ?? inMetadata }
    throw StateVersionError(JSONPointer("metadata").appending(field), "differs from \(field)")
  }

  private static func check(
    _ value: StateValue, _ limits: ValueLimits, _ field: String
  ) throws(StateVersionError) {
    do {
      try limits.check(value)
    } catch {
      throw StateVersionError(field, error.description)
    }
  }

  static func checkAgent(
    _ agent: UTF8String, _ field: @autoclosure () -> JSONPointer
  ) throws(StateVersionError) {
    guard agent.count > 0 else { throw StateVersionError(field(), "the agent is empty") }
    guard agent.count <= 512 else {
      throw StateVersionError(field(), "the agent has \(agent.count) bytes, at most 512")
    }
  }
}

/// Which field of a version is wrong, and why.
public struct StateVersionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Inside the version: `/vector_clock/agent-1`.
  public let field: JSONPointer
  public let problem: String

  public var description: String { "\(field): \(problem)" }

  init(_ field: JSONPointer, _ problem: String) {
    self.field = field
    self.problem = problem
  }

  init(_ field: String, _ problem: String) {
    self.init(JSONPointer(field), problem)
  }

  /// The same error where the version is itself part of a version.
  func under(_ parent: JSONPointer) -> StateVersionError {
    StateVersionError(field.under(parent), problem)
  }
}
