extension CausalContext {
  /// Appends the replicas in order, each with its ranges: numbers as distances, so that a range which overlaps or
  /// touches its predecessor, or starts at 0, has no encoding (`docs/Encoding.md`, "context").
  public func encode(into writer: inout ByteWriter) {
    let replicas = ranges.reduce(into: (count: 0, last: ReplicaID?.none)) { seen, range in
      if seen.last != range.replica { seen = (seen.count + 1, range.replica) }
    }
    writer.count(replicas.count)
    var index = 0
    while index < ranges.count {
      let replica = ranges[index].replica
      var behind = index + 1
      while behind < ranges.count, ranges[behind].replica == replica { behind += 1 }
      writer.fixed64(replica.rawValue)
      writer.count(behind - index - 1)
      var lowest: UInt64 = 1
      for range in ranges[index..<behind] {
        writer.varint(range.lower - lowest)
        writer.varint(range.upper - range.lower)
        // Behind the last possible number nothing follows, so the wrapped value is never used.
        lowest = range.upper &+ 2
      }
      index = behind
    }
  }

  public init(
    from reader: inout ByteReader, limits: DecodingLimits = .standard
  ) throws(DecodingFailure) {
    let count = try reader.count("context.replicas", bytesPerElement: 11, limit: limits.elements)
    var ranges: [DotRange] = []
    ranges.reserveCapacity(count)
    for _ in 0..<count {
      let start = reader.offset
      let replica = ReplicaID(try reader.fixed64("context.replica"))
      if let last = ranges.last, replica <= last.replica {
        throw DecodingFailure(.notCanonical("replicas out of order"), field: "context.replica", offset: start)
      }
      let further = try reader.count(
        "context.ranges", bytesPerElement: 2, limit: max(0, limits.elements - ranges.count))
      var lowest: UInt64? = 1
      for _ in 0...further {
        let start = reader.offset
        let gap = try reader.varint("context.range")
        let length = try reader.varint("context.range")
        guard let bound = lowest,
          case let (lower, lowerOverflow) = bound.addingReportingOverflow(gap), !lowerOverflow,
          case let (upper, upperOverflow) = lower.addingReportingOverflow(length), !upperOverflow
        else {
          throw DecodingFailure(.malformed("a write number over 64 bits"), field: "context.range", offset: start)
        }
        ranges.append(DotRange(replica, lower, upper))
        lowest = upper >= .max - 1 ? nil : upper + 2
      }
    }
    self.init(sorted: ranges)
  }
}
