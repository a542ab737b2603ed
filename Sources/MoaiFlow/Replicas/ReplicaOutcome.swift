public import MoaiCRDT

/// The answer to a replica's command that the journal took.
public enum ReplicaOutcome: Sendable, Hashable {
  /// The delta's writes are in the state.
  case merged(StateOutcome)
  /// A rule refused the delta's writes: its numbers are used, its content is kept and listed until somebody resolves it.
  case kept(DeltaRefusal)
  /// What the replica may spend on the key from now on.
  case reserved(CounterRight)
  case closed
  case resolved
  case announced
}

/// Why the writes of a delta are not in the state.
public enum DeltaRefusal: Error, Sendable, Hashable {
  case state(StateRefusal)
  /// The replica's clock is ahead of the journal's by more than the drift bound (rule §1.6).
  case clockAhead(Timestamp, journalTime: Int64)
}

/// Why the journal did not take a replica's command; nothing was used up by it.
@nonexhaustive
public enum ReplicaRefusal: Error, Sendable, Hashable {
  /// Nothing is known of the replica, and this is not its first delta.
  case unknown(ReplicaID)
  /// The replica belongs to another agent.
  case notYours(ReplicaID, owner: AgentID)
  /// It was closed when it had sent its writes up to `accepted`; what came later needs a new id.
  case closed(ReplicaID, accepted: UInt64)
  /// The delta does not follow on `accepted`, the last write that the journal has of the replica.
  case outOfOrder(ReplicaID, first: UInt64, accepted: UInt64)
  /// Another copy of the replica has written under the same numbers.
  case forked(ReplicaID, first: UInt64)
  /// So many refused deltas wait to be resolved that no more are taken.
  case tooManyKept(ReplicaID, limit: Int)
  /// There is nothing to reserve: no counter, or no bound in that direction.
  case notReservable(StateKey, String)
  /// The bound leaves less than was asked for.
  case nothingLeft(StateKey, CounterRight)
  /// No such delta is listed.
  case notKept(ReplicaID, first: UInt64)
}

extension DeltaRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .state(let refusal): refusal.description
    case .clockAhead(let timestamp, let journalTime):
      "clock ahead: written at \(timestamp.rfc3339), the journal's time is "
        + "\(Timestamp(milliseconds: journalTime).rfc3339); set the clock and write again"
    }
  }

  /// A word from a closed list, for programs.
  public var code: String {
    switch self {
    case .state(let refusal): Refusal.state(refusal).code
    case .clockAhead: "clock_ahead"
    }
  }
}

extension ReplicaRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown(let replica): "replica \(replica) is unknown; its first write would be number 1"
    case .notYours(let replica, let owner): "replica \(replica) belongs to \(owner)"
    case .closed(let replica, let accepted):
      "replica \(replica) was closed after its write \(accepted); write on under a new id"
    case .outOfOrder(let replica, let first, let accepted):
      "replica \(replica): the next write is \(accepted + 1), not \(first)"
    case .forked(let replica, let first):
      "replica \(replica) has sent other writes under number \(first), or another delta before it; if its folder was "
        + "copied, write on under a new id. A delta takes a number for each key and one for each of its operations"
    case .tooManyKept(let replica, let limit):
      "replica \(replica) has \(limit) refused deltas; resolve some of them"
    case .notReservable(let key, let why): "\(key): \(why)"
    case .nothingLeft(let key, let left): "\(key): only \(left) is left to reserve"
    case .notKept(let replica, let first): "replica \(replica) has no refused delta \(first)"
    }
  }

  var code: String {
    switch self {
    case .unknown: "unknown_replica"
    case .notYours: "not_allowed"
    case .closed: "replica_closed"
    case .outOfOrder: "out_of_order"
    case .forked: "replica_forked"
    case .tooManyKept: "too_many_refused"
    case .notReservable: "not_reservable"
    case .nothingLeft: "bound_exceeded"
    case .notKept: "not_found"
    }
  }
}

// MARK: - Binary form

extension ReplicaOutcome {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .merged(let outcome):
      writer.byte(1)
      outcome.encode(into: &writer)
    case .kept(let refusal):
      writer.byte(2)
      refusal.encode(into: &writer)
    case .reserved(let right):
      writer.byte(3)
      writer.signed(right.down)
      writer.signed(right.up)
    case .closed: writer.byte(4)
    case .resolved: writer.byte(5)
    case .announced: writer.byte(6)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("outcome.replica") {
    case 1: self = .merged(try StateOutcome(from: &reader))
    case 2: self = .kept(try DeltaRefusal(from: &reader))
    case 3:
      let down = try reader.signed("outcome.right")
      self = .reserved(CounterRight(down: down, up: try reader.signed("outcome.right")))
    case 4: self = .closed
    case 5: self = .resolved
    case 6: self = .announced
    case let tag: throw reader.failure(.malformed("\(tag) is no outcome"), "outcome.replica")
    }
  }
}

extension DeltaRefusal {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .state(let refusal):
      writer.byte(1)
      refusal.encode(into: &writer)
    case .clockAhead(let timestamp, let journalTime):
      writer.byte(2)
      writer.timestamp(timestamp)
      writer.signed(journalTime)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("refusal.delta") {
    case 1: self = .state(try StateRefusal(from: &reader))
    case 2:
      let timestamp = try reader.timestamp("refusal.timestamp")
      self = .clockAhead(timestamp, journalTime: try reader.signed("refusal.journal_time"))
    case let tag: throw reader.failure(.malformed("\(tag) is no refusal"), "refusal.delta")
    }
  }
}

extension ReplicaRefusal {
  func encode(into writer: inout ByteWriter) {
    func head(_ tag: UInt8, _ replica: ReplicaID) {
      writer.byte(tag)
      writer.fixed64(replica.rawValue)
    }
    switch self {
    case .unknown(let replica): head(1, replica)
    case .notYours(let replica, let owner):
      head(2, replica)
      writer.string(owner.name.string)
    case .closed(let replica, let accepted):
      head(3, replica)
      writer.varint(accepted)
    case .outOfOrder(let replica, let first, let accepted):
      head(4, replica)
      writer.varint(first)
      writer.varint(accepted)
    case .forked(let replica, let first):
      head(5, replica)
      writer.varint(first)
    case .tooManyKept(let replica, let limit):
      head(6, replica)
      writer.count(limit)
    case .notReservable(let key, let why):
      writer.byte(7)
      writer.string(key.name.string)
      writer.string(why)
    case .nothingLeft(let key, let left):
      writer.byte(8)
      writer.string(key.name.string)
      writer.signed(left.down)
      writer.signed(left.up)
    case .notKept(let replica, let first):
      head(9, replica)
      writer.varint(first)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    let tag = try reader.byte("refusal.replica")
    switch tag {
    case 7:
      let key = try reader.key("refusal.key")
      self = .notReservable(key, try reader.string("refusal.why", limit: 1024))
      return
    case 8:
      let key = try reader.key("refusal.key")
      let down = try reader.signed("refusal.left")
      self = .nothingLeft(key, CounterRight(down: down, up: try reader.signed("refusal.left")))
      return
    default: break
    }
    let replica = ReplicaID(try reader.fixed64("refusal.replica"))
    switch tag {
    case 1: self = .unknown(replica)
    case 2: self = .notYours(replica, owner: try reader.agent("refusal.owner"))
    case 3: self = .closed(replica, accepted: try reader.varint("refusal.accepted"))
    case 4:
      let first = try reader.varint("refusal.first")
      self = .outOfOrder(replica, first: first, accepted: try reader.varint("refusal.accepted"))
    case 5: self = .forked(replica, first: try reader.varint("refusal.first"))
    case 6: self = .tooManyKept(replica, limit: Int(clamping: try reader.varint("refusal.limit")))
    case 9: self = .notKept(replica, first: try reader.varint("refusal.first"))
    default: throw reader.failure(.malformed("\(tag) is no refusal"), "refusal.replica")
    }
  }
}
