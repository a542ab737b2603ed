public import MoaiCRDT

/// What offline replicas ask of the journal (rules §4.6, §5.6).
public enum ReplicaCommand: Sendable, Hashable {
  /// The next delta of a replica. Author: the replica's agent.
  case delta(ReplicaDelta)
  /// Reserves a part of the way to a counter's bound, to be spent while the replica is away.
  case reserve(ReplicaID, StateKey, CounterRight)
  /// Ends a replica: it may send nothing more under this id, and what it reserved is free again.
  case close(ReplicaID)
  /// Takes a refused delta off the list, named by its first number.
  case resolve(ReplicaID, first: UInt64)
  /// Says that the author has met writes of a replica, up to this number, that the journal does not have. So the replica is
  /// listed, ends as every other when it stays away for too long, and notices if it never made them: a copy of it did.
  case announce(ReplicaID, upTo: UInt64)
}

extension ReplicaCommand {
  public var replica: ReplicaID {
    switch self {
    case .delta(let delta): delta.replica
    case .reserve(let replica, _, _), .close(let replica), .resolve(let replica, _), .announce(let replica, _): replica
    }
  }

  func encode(into writer: inout ByteWriter) {
    switch self {
    case .delta(let delta):
      writer.byte(1)
      delta.encode(into: &writer)
    case .reserve(let replica, let key, let right):
      writer.byte(2)
      writer.fixed64(replica.rawValue)
      writer.string(key.name.string)
      writer.signed(right.down)
      writer.signed(right.up)
    case .close(let replica):
      writer.byte(3)
      writer.fixed64(replica.rawValue)
    case .resolve(let replica, let first):
      writer.byte(4)
      writer.fixed64(replica.rawValue)
      writer.varint(first)
    case .announce(let replica, let last):
      writer.byte(5)
      writer.fixed64(replica.rawValue)
      writer.varint(last)
    }
  }

  init(from reader: inout ByteReader) throws(DecodingFailure) {
    switch try reader.byte("replica") {
    case 1: self = .delta(try ReplicaDelta(from: &reader))
    case 2:
      let replica = ReplicaID(try reader.fixed64("reserve.replica"))
      let key = try reader.key("reserve.key")
      let down = try reader.signed("reserve.down")
      let right = CounterRight(down: down, up: try reader.signed("reserve.up"))
      guard right.down >= 0, right.up >= 0 else {
        throw reader.failure(.malformed("a right is not negative"), "reserve.right")
      }
      self = .reserve(replica, key, right)
    case 3: self = .close(ReplicaID(try reader.fixed64("close.replica")))
    case 4:
      let replica = ReplicaID(try reader.fixed64("resolve.replica"))
      self = .resolve(replica, first: try reader.varint("resolve.first"))
    case 5:
      let replica = ReplicaID(try reader.fixed64("announce.replica"))
      self = .announce(replica, upTo: try reader.varint("announce.last"))
    case let tag: throw reader.failure(.malformed("\(tag) is no replica command"), "replica")
    }
  }
}
