extension Causal where Store: BinaryDotStore {
  /// Appends the context, then for each replica of the context how many writes of it are here, and those: the distance
  /// to the number before, then what was written.
  @inlinable
  func encodeBody(into writer: inout ByteWriter) {
    context.encode(into: &writer)
    let dots = store.dots
    var previous = Store.nothingPrevious
    var index = 0
    var lastReplica: ReplicaID?
    for range in context.ranges where range.replica != lastReplica {
      lastReplica = range.replica
      var behind = index
      while behind < dots.count, dots[behind].replica == range.replica { behind += 1 }
      writer.count(behind - index)
      var lastNumber: UInt64 = 0
      for dot in dots[index..<behind] {
        writer.varint(dot.number - lastNumber - 1)
        lastNumber = dot.number
        store.encodeWrite(dot, after: &previous, into: &writer)
      }
      index = behind
    }
  }

  @inlinable
  init(body reader: inout ByteReader, limits: DecodingLimits) throws(DecodingFailure) {
    let context = try CausalContext(from: &reader, limits: limits)
    var store = Store()
    var previous = Store.nothingPrevious
    var left = limits.elements
    var range = 0
    while range < context.ranges.count {
      let replica = context.ranges[range].replica
      let count = try reader.count("writes", limit: left)
      left -= count
      var last: UInt64 = 0
      for _ in 0..<count {
        let number = try context.readNumber(after: last, of: replica, range: &range, from: &reader)
        try store.decodeWrite(Dot(replica, number), after: &previous, from: &reader, limits: limits)
        last = number
      }
      while range < context.ranges.count, context.ranges[range].replica == replica { range += 1 }
    }
    self.init(store: store, context: context)
  }
}

extension CausalContext {
  /// Reads a write number of `replica` as its distance from `last`, and moves `range` on to the range that contains it.
  @usableFromInline
  func readNumber(
    after last: UInt64, of replica: ReplicaID, range: inout Int, from reader: inout ByteReader
  ) throws(DecodingFailure) -> UInt64 {
    let start = reader.offset
    let distance = try reader.varint("number")
    let (before, overflow) = last.addingReportingOverflow(distance)
    guard !overflow, before < .max else {
      throw DecodingFailure(.malformed("a write number over 64 bits"), field: "number", offset: start)
    }
    let number = before + 1
    while ranges[range].upper < number, range + 1 < ranges.count, ranges[range + 1].replica == replica { range += 1 }
    guard ranges[range].contains(Dot(replica, number)) else {
      throw DecodingFailure(.malformed("write \(number) is not in the context"), field: "number", offset: start)
    }
    return number
  }
}
