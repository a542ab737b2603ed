import MoaiCRDT
import Testing

/// What a decoder refuses, with the field and the byte it names.
@Suite("§4.9 refusals") struct RefusalTests {
  typealias Reason = DecodingFailure.Reason

  static let replica: [UInt8] = [0x11, 0, 0, 0, 0, 0, 0, 0]
  static let later: [UInt8] = [0x22, 0, 0, 0, 0, 0, 0, 0]

  /// A set of Int64 that has seen the writes 1…2 of one replica, before its writes.
  static var seen: [UInt8] { [0, 4, 1] + replica + [0, 0, 1] }

  @Test(
    "§4.9 each refusal says what and where",
    arguments: [
      ([], .truncated, "version", 0),
      ([7], .unknownVersion(7), "version", 0),
      ([0], .truncated, "kind", 1),
      ([0, 1], .malformed("1 where 4 was expected"), "kind", 1),
      ([0, 4, 2] + replica + [0, 0, 0], .truncated, "context.replicas", 2),
      (
        [0, 4, 2] + later + [0, 0, 0] + replica + [0, 0, 0, 0, 0], .notCanonical("replicas out of order"),
        "context.replica", 14
      ),
      (
        [0, 4, 2] + replica + [0, 0, 0] + replica + [0, 0, 0, 0, 0], .notCanonical("replicas out of order"),
        "context.replica", 14
      ),
      ([0, 4, 1] + replica + [0, 0x80, 0, 0, 0], .notCanonical("a number with leading zeros"), "context.range", 12),
      (
        [0, 4, 1] + replica + [0] + Array(repeating: 0xFF, count: 9) + [1, 0, 0],
        .malformed("a write number over 64 bits"), "context.range", 12
      ),
      (
        [0, 4, 1] + replica + [0] + Array(repeating: 0xFF, count: 9) + [2, 0, 0], .malformed("a number over 64 bits"),
        "context.range", 12
      ),
      (seen + [3], .truncated, "writes", 14),
      (seen + [1, 2, 5], .malformed("write 3 is not in the context"), "number", 15),
      (seen + [2, 0, 10, 1, 0], .malformed("write 3 is not in the context"), "number", 17),
      (seen + [1, 0], .truncated, "value", 16),
      (seen + [0, 0], .trailingBytes, "lattice", 15),
    ] as [([UInt8], Reason, String, Int)])
  func refusesSets(_ bytes: [UInt8], _ reason: Reason, _ field: String, _ offset: Int) {
    let expected = DecodingFailure(reason, field: field == "value" ? "key" : field, offset: offset)
    #expect(throws: expected) { try ORSet<Int64>(decoding: bytes) }
  }

  @Test(
    "§4.9 §1.2 text that is not UTF-8, or shares less with its predecessor than it could, is refused",
    arguments: [
      ([2, 0, 0, 1, 0x61, 0, 0, 1, 0x61], .notCanonical("shares more than it says"), 20),
      ([2, 0, 0, 1, 0x61, 0, 2, 0], .malformed("shares 2 of 1 bytes"), 20),
      ([1, 0, 0, 1, 0xC3], .malformed("invalid UTF-8"), 16),
      ([1, 0, 0, 2, 0xC0, 0x80], .malformed("invalid UTF-8"), 16),
      ([1, 0, 0, 3, 0xED, 0xA0, 0x80], .malformed("invalid UTF-8"), 16),
      ([2, 0, 0, 2, 0xC3, 0xA9, 0, 1, 0], .malformed("invalid UTF-8"), 21),
      ([1, 0, 0, 5, 0x61], .truncated, 17),
    ] as [([UInt8], Reason, Int)])
  func refusesText(_ tail: [UInt8], _ reason: Reason, _ offset: Int) {
    let expected = DecodingFailure(reason, field: "key", offset: offset)
    #expect(throws: expected) { try ORSet<UTF8String>(decoding: Self.seen + tail) }
  }

  @Test("§4.9 a text may share part of a character with its predecessor")
  func cutsInsideCharacters() throws {
    var set = ORSet<UTF8String>()
    for (index, element) in (["\u{E9}", "\u{E8}", "", "\u{1F600}", "\u{1F601}x"] as [UTF8String]).enumerated() {
      set.insert(element, dot: Dot(ReplicaID(1), UInt64(index + 1)))
    }
    #expect(try ORSet<UTF8String>(decoding: set.encoded()) == set)
  }

  @Test("§4.9 a counter's replicas come in order, and an entry is not zero")
  func refusesCounters() {
    let zero = [0, 1, 1] + Self.replica + [0, 0]
    #expect(throws: DecodingFailure(.notCanonical("an entry of zero"), field: "replica", offset: 3)) {
      try PNCounter(decoding: zero)
    }
    let unsorted = [0, 1, 2] + Self.later + [1, 0] + Self.replica + [1, 0]
    #expect(throws: DecodingFailure(.notCanonical("replicas out of order"), field: "replica", offset: 13)) {
      try PNCounter(decoding: unsorted)
    }
  }

  @Test("§4.9 a last-writer register refuses a counter over 16 bits, and a flag that is no boolean")
  func refusesRegisters() {
    let wide = [0, 2, 1, 2, 0x80, 0x80, 4] + Self.replica + [0, 0]
    #expect(throws: DecodingFailure(.malformed("a counter over 16 bits"), field: "logical", offset: 4)) {
      try LWWRegister<UTF8String>(decoding: wide)
    }
    #expect(throws: DecodingFailure(.malformed("2 is no boolean"), field: "is assigned", offset: 2)) {
      try LWWRegister<UTF8String>(decoding: [0, 2, 2])
    }
  }

  @Test("§4.9 a last-writer map holds a key once")
  func refusesRepeatedKeys() {
    let bytes = [0, 6, 1] + Self.replica + [0, 0, 1, 2, 0, 10, 0, 0, 0, 0, 0, 0]
    #expect(throws: DecodingFailure(.malformed("a key twice"), field: "key", offset: 20)) {
      try LWWMap<Int64, Int64>(decoding: bytes)
    }
  }

  @Test("§4.9 limits are kept before anything is built, and named")
  func keepsLimits() throws {
    var set = ORSet<UTF8String>()
    for index in UInt64(1)...5 { set.insert(UTF8String("element-\(index)"), dot: Dot(ReplicaID(1), index)) }
    let bytes = set.encoded()
    #expect(try ORSet<UTF8String>(decoding: bytes, limits: DecodingLimits(elements: 5, elementBytes: 9)) == set)
    #expect(throws: DecodingFailure(.overLimit("5, at most 4"), field: "writes", offset: 14)) {
      try ORSet<UTF8String>(decoding: bytes, limits: DecodingLimits(elements: 4))
    }
    #expect(throws: DecodingFailure(.overLimit("9 bytes, at most 8"), field: "key", offset: 16)) {
      try ORSet<UTF8String>(decoding: bytes, limits: DecodingLimits(elementBytes: 8))
    }
    #expect(
      throws: DecodingFailure(.overLimit("\(bytes.count) bytes, at most 20"), field: "lattice", offset: 0)
    ) {
      try ORSet<UTF8String>(decoding: bytes, limits: DecodingLimits(bytes: 20))
    }
  }

  @Test("§4.9 texts that repeat a long one in a few bytes each are refused before they take more than the limit")
  func repeatedTextIsBounded() throws {
    func set(of count: UInt8) -> [UInt8] {
      let first: [UInt8] = [0, 0, 100] + Array(repeating: 0x61, count: 100)
      let others = (1..<count).flatMap { [0, 99 + $0, 1, 0x61] as [UInt8] }
      return [0, 4, 1] + Self.replica + [0, 0, count - 1, count] + first + others
    }
    // They share 100, 101, 102 … bytes: ten texts 936, eleven 1,045.
    _ = try ORSet<UTF8String>(decoding: set(of: 10), limits: DecodingLimits(bytes: 1_000))
    let refusal = DecodingFailure(.overLimit("texts share more than 1000 bytes"), field: "key", offset: 155)
    #expect(throws: refusal) {
      try ORSet<UTF8String>(decoding: set(of: 11), limits: DecodingLimits(bytes: 1_000))
    }
  }

  @Test("§4.9 a value type that nests gets the depth limit")
  func passesDepth() {
    var register = MVRegister<Nested>()
    register.assign(Nested(depth: 5), dot: Dot(ReplicaID(1), 1))
    let bytes = register.encoded()
    #expect(throws: Never.self) { try MVRegister<Nested>(decoding: bytes, limits: DecodingLimits(depth: 5)) }
    #expect(throws: DecodingFailure(.overLimit("5 levels, at most 4"), field: "value", offset: bytes.count)) {
      try MVRegister<Nested>(decoding: bytes, limits: DecodingLimits(depth: 4))
    }
  }
}

/// A value that is nothing but its depth.
struct Nested: BinaryValue {
  var depth: Int

  init(depth: Int) {
    self.depth = depth
  }

  func encode(after previous: Nested?, into writer: inout ByteWriter) {
    writer.count(depth)
  }

  init(
    after previous: Nested?, from reader: inout ByteReader, field: String, limits: DecodingLimits
  ) throws(DecodingFailure) {
    depth = try reader.count(field, bytesPerElement: 0)
    guard depth <= limits.depth else {
      throw reader.failure(.overLimit("\(depth) levels, at most \(limits.depth)"), field)
    }
  }
}
