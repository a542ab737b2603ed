extension LWWMap: BinaryLattice where Key: BinaryValue, Value: BinaryValue {
  @inlinable
  public static var kind: LatticeKind { .lastWriterMap }

  /// Appends the context, then for each replica of the context its winning writes, ordered by number: the distance to
  /// the number before, the key, the timestamp as a difference, and the value if there is one.
  @inlinable
  public func encodeBody(into writer: inout ByteWriter) {
    seen.encode(into: &writer)
    var previousKey: Key?
    var previousValue: Value?
    var previousMilliseconds: Int64 = 0
    var lastReplica: ReplicaID?
    for range in seen.ranges where range.replica != lastReplica {
      lastReplica = range.replica
      let winning = winningWrites(of: range.replica)
      writer.count(winning.count)
      var lastNumber: UInt64 = 0
      for slot in winning {
        let entry = entries[slot]
        writer.varint(entry.dot.number - lastNumber - 1)
        lastNumber = entry.dot.number
        table.keys[slot].encode(after: previousKey, into: &writer)
        previousKey = table.keys[slot]
        writer.signed(entry.timestamp.milliseconds &- previousMilliseconds)
        previousMilliseconds = entry.timestamp.milliseconds
        writer.varint(UInt64(entry.timestamp.logical) << 1 | (entry.value == nil ? 0 : 1))
        if let value = entry.value {
          value.encode(after: previousValue, into: &writer)
          previousValue = value
        }
      }
    }
  }

  /// The slots that `replica` wrote last, in the order of its numbers.
  @inlinable
  func winningWrites(of replica: ReplicaID) -> [Int] {
    guard let line = log.line(of: replica) else { return [] }
    return log.lines[line].entries.compactMap { logged in
      entries[Int(logged.slot)].dot == Dot(replica, logged.number) ? Int(logged.slot) : nil
    }
  }

  @inlinable
  public init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    self.init()
    let context = try CausalContext(from: &reader, limits: limits)
    var previousKey: Key?
    var previousValue: Value?
    var previousMilliseconds: Int64 = 0
    var left = limits.elements
    var range = 0
    while range < context.ranges.count {
      let replica = context.ranges[range].replica
      // A write takes at least a number, a key, a timestamp and a flag.
      let count = try reader.count("writes", bytesPerElement: 3, limit: left)
      left -= count
      if entries.isEmpty { reserve(count) }
      let line = count > 0 ? log.makeLine(of: replica) : 0
      var last: UInt64 = 0
      for _ in 0..<count {
        let number = try context.readNumber(after: last, of: replica, range: &range, from: &reader)
        last = number
        let start = reader.offset
        let key = try Key(after: previousKey, from: &reader, field: "key", limits: limits)
        let mark = KeyTable<Key>.mark(of: key)
        guard table.slot(of: key, mark: mark) == nil else {
          throw DecodingFailure(.malformed("a key twice"), field: "key", offset: start)
        }
        previousKey = key
        previousMilliseconds &+= try reader.signed("milliseconds")
        let (logical, hasValue) = try reader.logicalAndFlag()
        if hasValue {
          previousValue = try Value(after: previousValue, from: &reader, field: "value", limits: limits)
        }
        let entry = Entry(
          timestamp: Timestamp(milliseconds: previousMilliseconds, logical: logical), dot: Dot(replica, number),
          value: hasValue ? previousValue : nil)
        take(key, mark, entry, line: line)
      }
      while range < context.ranges.count, context.ranges[range].replica == replica { range += 1 }
    }
    seen = context
  }
}

extension ByteReader {
  /// Reads the counter of a timestamp, shifted by one, with whether a value follows in the lowest bit.
  @usableFromInline
  mutating func logicalAndFlag() throws(DecodingFailure) -> (UInt16, Bool) {
    let start = offset
    let packed = try varint("logical")
    guard let logical = UInt16(exactly: packed >> 1) else {
      throw DecodingFailure(.malformed("a counter over 16 bits"), field: "logical", offset: start)
    }
    return (logical, packed & 1 == 1)
  }
}
