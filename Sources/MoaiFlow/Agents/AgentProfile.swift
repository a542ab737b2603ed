public import MoaiCRDT

/// What an agent says of itself when it registers (rule §7.1).
public struct AgentProfile: Sendable, Hashable {
  /// What it can do, in the order of their bytes, each once.
  public internal(set) var capabilities: [UTF8String] = []
  /// How much its vote counts where votes are weighted.
  public internal(set) var weight: Int64 = 1
  /// Tasks that it holds at once at most; nil: as many as it claims.
  public internal(set) var capacity: Int64?
  /// Milliseconds of silence after which others begin to doubt. Lower: failures are noticed sooner, and slow networks and
  /// long garbage collections are taken for them.
  public internal(set) var heartbeatInterval: Int64 = 15_000
  /// An Ed25519 key, 32 bytes.
  public internal(set) var publicKey: [UInt8]?
  /// Whatever else others should know: an object.
  public internal(set) var metadata = StateObject(ascending: [])

  public init() {}
}

extension AgentProfile {
  /// What a registration gives; what it does not give stays as it was.
  public struct Change: Sendable, Hashable {
    public var capabilities: [String]?
    public var weight: Int64?
    /// `.some(nil)`: no bound.
    public var capacity: Int64??
    /// In milliseconds.
    public var heartbeatInterval: Int64?
    public var publicKey: [UInt8]?
    public var metadata: StateObject?

    public init(
      capabilities: [String]? = nil, weight: Int64? = nil, capacity: Int64?? = nil, heartbeatInterval: Int64? = nil,
      publicKey: [UInt8]? = nil, metadata: StateObject? = nil
    ) {
      self.capabilities = capabilities
      self.weight = weight
      self.capacity = capacity
      self.heartbeatInterval = heartbeatInterval
      self.publicKey = publicKey
      self.metadata = metadata
    }
  }

  func changed(by change: Change) -> AgentProfile {
    var new = self
    if let capabilities = change.capabilities { new.capabilities = Set(capabilities.map { UTF8String($0) }).sorted() }
    if let weight = change.weight { new.weight = weight }
    if let capacity = change.capacity { new.capacity = capacity }
    if let interval = change.heartbeatInterval { new.heartbeatInterval = interval }
    if let key = change.publicKey { new.publicKey = key }
    if let metadata = change.metadata { new.metadata = metadata }
    return new
  }
}

// MARK: - Limits

extension AgentProfile.Change {
  static let capabilityLimit = 64
  static let capabilityBytes = 1...128
  static let weights: ClosedRange<Int64> = 0...1_000_000_000
  static let capacities: ClosedRange<Int64> = 0...10_000
  /// In milliseconds: a day at most.
  public static let intervals: ClosedRange<Int64> = 100...86_400_000
  static let keyBytes = 32
  static let metadataBytes = 16 << 10

  /// Refuses what no profile may hold, naming the field.
  func check() throws(SwarmError) {
    if let capabilities {
      guard capabilities.count <= Self.capabilityLimit else {
        throw .invalid(field: "/capabilities", "\(capabilities.count) of them, at most \(Self.capabilityLimit)")
      }
      for (index, capability) in capabilities.enumerated() {
        guard Self.capabilityBytes ~= capability.utf8.count, capability.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
          throw .invalid(
            field: "/capabilities/\(index)", "has 1 to \(Self.capabilityBytes.upperBound) bytes, none of control")
        }
      }
    }
    try Self.check(weight, in: Self.weights, "/weight")
    if let capacity { try Self.check(capacity, in: Self.capacities, "/capacity") }
    try Self.check(heartbeatInterval, in: Self.intervals, "/heartbeat_interval_ms")
    if let publicKey, publicKey.count != Self.keyBytes {
      throw .invalid(field: "/public_key", "an Ed25519 key has \(Self.keyBytes) bytes, this one \(publicKey.count)")
    }
    if let metadata {
      let limits = ValueLimits(encodedBytes: Self.metadataBytes)
      do { try limits.check(.object(metadata)) } catch { throw .invalid(field: "/metadata", "\(error)") }
    }
  }

  private static func check(_ number: Int64?, in range: ClosedRange<Int64>, _ field: String) throws(SwarmError) {
    guard let number, !range.contains(number) else { return }
    throw .invalid(field: field, "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
  }
}

// MARK: - Binary form

extension AgentProfile {
  func encode(into writer: inout ByteWriter) {
    writer.count(capabilities.count)
    for capability in capabilities { writer.string(capability.string) }
    writer.signed(weight)
    writer.optional(capacity)
    writer.signed(heartbeatInterval)
    writer.bool(publicKey != nil)
    if let publicKey { writer.blob(publicKey) }
    StateValue.object(metadata).encode(into: &writer)
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let change = try Change(profile: &reader)
    self = AgentProfile().changed(by: change)
  }
}

extension AgentProfile.Change {
  func encode(into writer: inout ByteWriter) {
    writer.bool(capabilities != nil)
    if let capabilities {
      writer.count(capabilities.count)
      for capability in capabilities { writer.string(capability) }
    }
    writer.optional(weight)
    writer.bool(capacity != nil)
    if let capacity { writer.optional(capacity) }
    writer.optional(heartbeatInterval)
    writer.bool(publicKey != nil)
    if let publicKey { writer.blob(publicKey) }
    writer.bool(metadata != nil)
    if let metadata { StateValue.object(metadata).encode(into: &writer) }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    self.init()
    if try reader.bool("profile.capabilities") { capabilities = try reader.capabilities() }
    weight = try reader.optionalSigned("profile.weight")
    if try reader.bool("profile.capacity") { capacity = .some(try reader.optionalSigned("profile.capacity")) }
    heartbeatInterval = try reader.optionalSigned("profile.interval")
    if try reader.bool("profile.public_key") { publicKey = try reader.blob("profile.public_key") }
    if try reader.bool("profile.metadata") { metadata = try reader.object("profile.metadata") }
    try checkDecoded(reader)
  }

  /// Reads a whole profile, in which nothing is left out.
  fileprivate init(profile reader: inout ByteReader) throws(DecodingFailure) {
    self.init()
    capabilities = try reader.capabilities()
    weight = try reader.signed("profile.weight")
    capacity = .some(try reader.optionalSigned("profile.capacity"))
    heartbeatInterval = try reader.signed("profile.interval")
    if try reader.bool("profile.public_key") { publicKey = try reader.blob("profile.public_key") }
    metadata = try reader.object("profile.metadata")
    try checkDecoded(reader)
  }

  private func checkDecoded(_ reader: ByteReader) throws(DecodingFailure) {
    do { try check() } catch { throw reader.failure(.malformed("\(error)"), "profile") }
  }
}

extension ByteReader {
  fileprivate mutating func capabilities() throws(DecodingFailure) -> [String] {
    let limit = AgentProfile.Change.capabilityLimit
    var capabilities: [String] = []
    for _ in 0..<(try count("profile.capabilities", bytesPerElement: 2, limit: limit)) {
      capabilities.append(try string("profile.capability", limit: AgentProfile.Change.capabilityBytes.upperBound))
    }
    return capabilities
  }

  mutating func object(_ field: String) throws(DecodingFailure) -> StateObject {
    guard case .object(let object) = try StateValue(from: &self) else { throw failure(.malformed("no object"), field) }
    return object
  }
}
