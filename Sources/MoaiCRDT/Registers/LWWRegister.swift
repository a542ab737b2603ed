/// A register in which the write with the greatest timestamp wins (Shapiro et al. 2011, section 3.2.1).
///
/// **It loses writes by design**: of two made apart one vanishes without trace, and a writer whose clock is ahead wins
/// until the others' clocks have caught up. Use it where any recent value will do; where both must survive use
/// ``MVRegister``. Timestamps from a ``HybridLogicalClock`` that received the register's timestamp at least never lose
/// to what their writer had seen.
///
/// Ties of the timestamp go to the greater replica. Two different values under the same timestamp and replica mean that
/// a writer broke its promise; then the greater encoded bytes win, so that merging stays commutative.
public struct LWWRegister<Value: BinaryValue>: Lattice {
  @usableFromInline
  struct Write: Equatable, Sendable {
    @usableFromInline let timestamp: Timestamp
    @usableFromInline let replica: ReplicaID
    @usableFromInline let value: Value

    @usableFromInline
    init(timestamp: Timestamp, replica: ReplicaID, value: Value) {
      self.timestamp = timestamp
      self.replica = replica
      self.value = value
    }

    @usableFromInline
    func wins(over other: Write) -> Bool {
      if timestamp != other.timestamp { return timestamp > other.timestamp }
      if replica != other.replica { return replica > other.replica }
      return value != other.value && other.value.standaloneBytes.lexicographicallyPrecedes(value.standaloneBytes)
    }
  }

  @usableFromInline var write: Write?

  @inlinable
  public init() {
    write = nil
  }

  /// Nil until something is assigned.
  @inlinable
  public var value: Value? { write?.value }

  @inlinable
  public var timestamp: Timestamp? { write?.timestamp }

  /// Who wrote the value.
  @inlinable
  public var replica: ReplicaID? { write?.replica }

  /// Assigns `value` unless a greater write is here already, and returns the delta either way.
  @discardableResult
  public mutating func assign(_ value: Value, at timestamp: Timestamp, by replica: ReplicaID) -> Self {
    var delta = Self()
    delta.write = Write(timestamp: timestamp, replica: replica, value: value)
    merge(delta)
    return delta
  }

  public mutating func merge(_ other: Self) {
    guard let theirs = other.write else { return }
    if let ours = write, !theirs.wins(over: ours) { return }
    write = theirs
  }

  /// Nothing can be broken: a register is one write or none.
  public func checkInvariants() -> [String] { [] }
}

extension LWWRegister: BinaryLattice {
  @inlinable
  public static var kind: LatticeKind { .lastWriterRegister }

  public func encodeBody(into writer: inout ByteWriter) {
    writer.bool(write != nil)
    guard let write else { return }
    writer.signed(write.timestamp.milliseconds)
    writer.varint(UInt64(write.timestamp.logical))
    writer.fixed64(write.replica.rawValue)
    write.value.encode(after: nil, into: &writer)
  }

  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    self.init()
    guard try reader.bool("is assigned") else { return }
    let milliseconds = try reader.signed("milliseconds")
    let start = reader.offset
    guard let logical = UInt16(exactly: try reader.varint("logical")) else {
      throw DecodingFailure(.malformed("a counter over 16 bits"), field: "logical", offset: start)
    }
    let replica = ReplicaID(try reader.fixed64("replica"))
    write = Write(
      timestamp: Timestamp(milliseconds: milliseconds, logical: logical), replica: replica,
      value: try Value(after: nil, from: &reader, field: "value", limits: limits))
  }
}
