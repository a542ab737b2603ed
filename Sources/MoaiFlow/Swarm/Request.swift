import MoaiCRDT

/// A command as its author submits it. The swarm turns it into an ``Entry``.
public struct Request: Sendable, Hashable {
  public enum Body: Sendable, Hashable {
    case write([WriteRequest])
    case settings(SwarmSettings)
    /// What an offline replica asks; it has the form of the journal already.
    case replica(ReplicaCommand)
    /// Registers an agent, or lets it go.
    case agent(AgentCommand)
  }

  public let author: AgentID
  /// The host that acts for the author.
  public let via: AgentID?
  /// Nil: the swarm takes a random one, and a caller that loses the answer cannot repeat the command safely.
  public let id: CommandID?
  /// The method and path under which it came, where the same command under another one is not the same; else nil.
  public let form: String?
  public let body: Body

  public init(author: AgentID, via: AgentID? = nil, id: CommandID? = nil, form: String? = nil, body: Body) {
    self.author = author
    self.via = via
    self.id = id
    self.form = form
    self.body = body
  }
}

/// The write of one key as it is submitted.
public struct WriteRequest: Sendable, Hashable {
  public enum Content: Sendable, Hashable {
    case operations([StateOperation])
    /// A whole value (rule §4.4). Over a set or map it adds and puts; with a base, or `replacing`, it also removes what
    /// is absent and was visible. Over a counter it needs a base, and means the difference.
    case value(StateValue, replacing: Bool = false)
    /// This agent's share of a counter.
    case share(Int64)
    case delete
  }

  public let key: StateKey
  public let content: Content
  public let base: RevisionReference?
  public let ifRevision: RevisionReference?
  public let type: CRDTType?
  public let strategy: KeyStrategy?

  public init(
    _ key: StateKey, _ content: Content, base: RevisionReference? = nil, ifRevision: RevisionReference? = nil,
    type: CRDTType? = nil, strategy: KeyStrategy? = nil
  ) {
    self.key = key
    self.content = content
    self.base = base
    self.ifRevision = ifRevision
    self.type = type
    self.strategy = strategy
  }
}

extension Request {
  /// A stable hash of what is asked, by whom: the same command id with another hash is a caller's error.
  func hash() -> UInt64 {
    var writer = ByteWriter(reservingCapacity: 128)
    writer.string(author.name.string)
    writer.string(via?.name.string ?? "")
    switch body {
    case .settings(let settings):
      writer.byte(1)
      settings.encode(into: &writer)
    case .write(let writes):
      writer.byte(2)
      for write in writes { write.encode(into: &writer) }
    case .replica(let command):
      writer.byte(4)
      command.encode(into: &writer)
    case .agent(let command):
      writer.byte(5)
      command.encode(into: &writer)
    }
    if let form { writer.string(form) }
    var hash = StableHash()
    hash.combine(bytes: writer.bytes)
    return hash.finalize()
  }
}

extension WriteRequest {
  fileprivate func encode(into writer: inout ByteWriter) {
    writer.string(key.name.string)
    writer.reference(base)
    writer.reference(ifRevision)
    writer.byte(type?.tag ?? 0)
    writer.byte(strategy?.tag ?? 0)
    switch content {
    case .operations(let operations):
      writer.byte(1)
      writer.count(operations.count)
      for operation in operations { operation.encode(into: &writer) }
    case .value(let value, let replacing):
      writer.byte(2)
      writer.bool(replacing)
      value.encode(into: &writer)
    case .share(let share):
      writer.byte(3)
      writer.signed(share)
    case .delete: writer.byte(4)
    }
  }
}

extension ByteWriter {
  mutating func reference(_ reference: RevisionReference?) {
    switch reference {
    case nil: byte(0)
    case .revision(let revision):
      byte(1)
      signed(revision)
    case .cursor(let cursor):
      byte(2)
      fixed64(cursor.epoch.rawValue)
      signed(cursor.revision)
    }
  }
}
