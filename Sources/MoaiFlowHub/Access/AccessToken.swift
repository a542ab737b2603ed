public import MoaiCRDT
public import MoaiFlow

/// What a hub knows of a token: whom it lets do what, and the hash of its secret; never the secret.
public struct AccessToken: Sendable, Hashable {
  public let id: TokenID
  /// SHA-256 of the secret. That has 256 random bits, so nothing slower is needed against guessing.
  let hash: [UInt8]
  public let role: Role
  /// Nil: every swarm.
  public let swarm: SwarmName?
  /// Who acts by default: the agent, or the host itself. Nil: somebody must be named.
  public let agent: AgentID?
  /// Whom the bearer may name as author beside ``agent``. Nil: nobody.
  public let covers: GlobPattern?
  /// What the operator wants to remember.
  public let note: String?
  public let created: Timestamp
  /// Nil: it lasts until it is revoked.
  public let expires: Timestamp?
  /// Requests a second, on average over a second; nil: the hub's default.
  public let requestsPerSecond: Int?

  func isValid(at now: Int64) -> Bool { expires.map { now < $0.milliseconds } ?? true }

  /// Whether the bearer may write as an agent.
  func allows(_ agent: AgentID) -> Bool {
    role == .admin || agent == self.agent || covers?.matches(agent.name) ?? false
  }
}

/// What a new token is for.
public struct TokenGrant: Sendable {
  public let role: Role
  public let swarm: SwarmName?
  public let agent: AgentID?
  public let covers: GlobPattern?
  public let note: String?
  /// Milliseconds from now; nil: for ever.
  public let lifetime: Int64?
  public let requestsPerSecond: Int?

  /// - Parameter agent: a name; for the roles agent and host also a pattern with stars: `worker-*`.
  /// - Parameter covers: for a host, whom it acts for; a host without it acts for everybody.
  /// - Throws: if the role and the names do not go together.
  public init(
    role: Role, swarm: SwarmName? = nil, agent: String? = nil, covers: String? = nil, note: String? = nil,
    lifetime: Int64? = nil, requestsPerSecond: Int? = nil
  ) throws(WireError) {
    self.role = role
    self.swarm = swarm
    self.note = note
    self.lifetime = lifetime
    self.requestsPerSecond = requestsPerSecond
    let place = JSONPointer.root
    if let note, note.utf8.count > TokenGrant.noteBytes {
      throw WireError(place.appending("note"), "has \(note.utf8.count) bytes, at most \(TokenGrant.noteBytes)")
    }
    if covers != nil, role != .host { throw WireError(place.appending("covers"), "goes with the role host") }
    let isPattern = agent?.utf8.contains(UInt8(ascii: "*")) ?? false
    switch role {
    case .observer where agent != nil: throw WireError(place.appending("agent"), "an observer writes as nobody")
    case .agent where agent == nil:
      throw WireError(place.appending("agent"), "the role agent needs a name, or a pattern like worker-*")
    case .host where agent == nil || isPattern:
      throw WireError(place.appending("agent"), "a host has a name of its own, without stars")
    case .admin where isPattern: throw WireError(place.appending("agent"), "an admin writes as whom it wants already")
    default: break
    }
    self.agent = isPattern ? nil : try agent.map { text throws(WireError) in try TokenGrant.name(text, at: "agent") }
    switch (isPattern ? agent : covers) {
    case let pattern?:
      self.covers = GlobPattern(try TokenGrant.pattern(pattern, at: isPattern ? "agent" : "covers"))
    case nil: self.covers = role == .host ? GlobPattern("*") : nil
    }
  }

  /// Bytes of a note at most.
  private static let noteBytes = 200

  private static func name(_ text: String, at field: String) throws(WireError) -> AgentID {
    do { return try AgentID(text) } catch { throw WireError(JSONPointer.root.appending(field), error.problem) }
  }

  /// A pattern whose letters could stand in a name.
  private static func pattern(_ text: String, at field: String) throws(WireError) -> String {
    _ = text == "*" ? nil : try name(text.replacing("*", with: "x"), at: field)
    return text
  }
}
