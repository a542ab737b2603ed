import MoaiCRDT

/// One write that nothing has overwritten or removed yet. Its dot is its key in a ``DotFun``.
///
/// The fields stand so that there is little room between them: a swarm keeps one for every key.
struct Written: Sendable, Equatable {
  let value: StateValue
  let agent: AgentIndex
  /// The revision at which the write entered the journal: what "visible at base" compares (rule §4.3).
  let entered: Revision
  let timestamp: Timestamp

  init(value: StateValue, timestamp: Timestamp, agent: AgentIndex, entered: Revision) {
    self.value = value
    self.agent = agent
    self.entered = entered
    self.timestamp = timestamp
  }
}

/// The writes of one part that stand side by side; usually one.
typealias Writes = DotFun<Written>

/// A part of a value that is overwritten as one: a register's whole value, a field of a map, an element of a set.
enum Part: Hashable, Sendable {
  case whole
  case field(UTF8String)
  case element(StateValue)
}

/// What the swarm keeps under one key: a dot store for set, map and register, shares for a counter, or the memory that
/// the key was deleted.
struct KeyRecord: Sendable {
  enum Contents: Sendable {
    case counter(CounterShares)
    case register(Writes)
    /// Sets and maps: only parts with at least one write.
    case parts([Part: Writes])
    case deleted
  }

  /// What a reader sees beside the value. As in ``Written``, the order of the fields saves room.
  struct Header: Sendable, Equatable {
    var type: CRDTType
    var strategy: KeyStrategy
    /// Author and time of the last entry that changed the key visibly.
    var agent: AgentIndex
    var timestamp: Timestamp
    private var size: Int32
    /// The dot of the key's creation: it names the incarnation (rule §4.8).
    var created: Dot
    /// The entry in which the incarnation came into being.
    var createdAt: Revision
    /// Entries that changed the key visibly in this incarnation.
    var version: Int64

    /// Bytes of the fields or elements in the canonical value, without separators.
    var contentSize: Int {
      get { Int(size) }
      set { size = Int32(newValue) }
    }

    init(
      type: CRDTType, strategy: KeyStrategy, created: Dot, createdAt: Revision, version: Int64, agent: AgentIndex,
      timestamp: Timestamp, contentSize: Int
    ) {
      self.type = type
      self.strategy = strategy
      self.agent = agent
      self.timestamp = timestamp
      size = Int32(contentSize)
      self.created = created
      self.createdAt = createdAt
      self.version = version
    }
  }

  var header: Header
  var contents: Contents
  var recent: RecentChanges
  /// The entry that last touched the record, whether or not a reader sees a difference. It tells a transaction whether
  /// it has been here before, and a rewind whether anything happened since it was planned.
  var touchedAt: Revision = 0

  // Inlined, so that asking for a bit or a number does not copy the record out of its table.
  @inline(__always)
  var isDeleted: Bool {
    if case .deleted = contents { true } else { false }
  }

  /// Changes a set's or map's parts in place: the record lets go of the dictionary meanwhile, so it is never copied.
  private mutating func withParts<Result>(_ body: (inout [Part: Writes]) -> Result) -> Result {
    guard case .parts(var parts) = contents else { preconditionFailure("only sets and maps have parts") }
    contents = .deleted
    defer { contents = .parts(parts) }
    return body(&parts)
  }

  /// The writes of a part; empty if there are none.
  @inline(__always)
  func writes(of part: Part) -> Writes {
    switch contents {
    case .register(let writes): writes
    case .parts(let parts): parts[part] ?? Writes()
    case .counter, .deleted: Writes()
    }
  }

  /// Changes the writes of a part where they lie, with one look-up; a part that is left without writes goes.
  mutating func withWrites<Result>(of part: Part, _ body: (inout Writes) -> Result) -> Result {
    switch contents {
    case .register(var writes):
      contents = .deleted
      defer { contents = .register(writes) }
      return body(&writes)
    case .parts:
      return withParts { parts in
        guard let index = parts.index(forKey: part) else {
          var writes = Writes()
          let result = body(&writes)
          if !writes.isEmpty { parts[part] = writes }
          return result
        }
        let result = body(&parts.values[index])
        if parts.values[index].isEmpty { parts.remove(at: index) }
        return result
      }
    case .counter, .deleted: preconditionFailure("a counter has no writes")
    }
  }
}

/// A counter as the sum of its agents' shares, and what of the way to its bounds is reserved (rule §4.6).
struct CounterShares: Sendable, Equatable {
  private(set) var shares: [AgentIndex: Int64] = [:]
  private(set) var sum: Int64 = 0
  /// Who counted last.
  var touch: Touch?

  /// The last entry that counted, whose it was, and the last one of somebody else before it. Increments have no dots;
  /// this tells whether an agent has seen them all (rule §4.8).
  struct Touch: Sendable, Equatable {
    var agent: AgentIndex
    var at: Revision
    var byOthers: Revision

    /// The last entry that counted and was not the agent's.
    func last(notBy other: AgentIndex) -> Revision { agent == other ? byOthers : at }
  }

  /// What an inverse goes back to, beside the share itself.
  struct Standing: Sendable {
    let sum: Int64
    let touch: Touch?
  }

  var standing: Standing { Standing(sum: sum, touch: touch) }

  mutating func noteTouch(by agent: AgentIndex, at revision: Revision) {
    touch = Touch(agent: agent, at: revision, byOthers: touch?.last(notBy: agent) ?? 0)
  }

  /// What replicas may still spend offline; only what is not nothing.
  private(set) var rights: [ReplicaID: CounterRight] = [:]

  /// All that is reserved. O(replicas that hold rights).
  var reserved: CounterRight {
    rights.values.reduce(into: CounterRight()) { total, right in
      total.down = Int64(clamping: Int128(total.down) + Int128(right.down))
      total.up = Int64(clamping: Int128(total.up) + Int128(right.up))
    }
  }

  mutating func setRight(_ right: CounterRight?, of replica: ReplicaID) {
    rights[replica] = right.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Sets an agent's share, or returns false and changes nothing if it or the sum would leave Int64.
  mutating func set(_ share: Int64, of agent: AgentIndex) -> Bool {
    guard let newSum = Int64(exactly: Int128(sum) - Int128(shares[agent] ?? 0) + Int128(share)) else { return false }
    shares[agent] = share
    sum = newSum
    return true
  }

  mutating func remove(_ agent: AgentIndex) {
    guard let share = shares.removeValue(forKey: agent) else { return }
    sum -= share
  }

  init() {}

  /// The shares of a counter that is there already. Nil if their sum leaves Int64; sums on the way may.
  init?(_ shares: [AgentIndex: Int64], rights: [ReplicaID: CounterRight] = [:], touch: Touch? = nil) {
    guard let sum = Int64(exactly: shares.values.reduce(into: Int128(0)) { $0 += Int128($1) }) else { return nil }
    self.shares = shares
    self.sum = sum
    self.rights = rights
    self.touch = touch
  }
}

extension KeyRecord {
  /// A new incarnation of a key, still empty, named by a dot.
  init(creating type: CRDTType, _ strategy: KeyStrategy, _ dot: Dot, in transaction: borrowing Transaction) {
    header = Header(
      type: type, strategy: strategy, created: dot, createdAt: transaction.revision, version: 0,
      agent: transaction.author, timestamp: transaction.timestamp, contentSize: 0)
    switch type {
    case .counter: contents = .counter(CounterShares())
    case .register: contents = .register(Writes())
    case .set, .map: contents = .parts([:])
    }
    recent = RecentChanges(since: transaction.revision)
    touchedAt = transaction.revision
  }
}
