import MoaiCRDT
import Testing

@Suite("§4.9 primitives of the encoding") struct PrimitiveTests {
  @Test(
    "§4.9 numbers come back from the fewest bytes",
    arguments: [0, 1, 127, 128, 16_383, 16_384, .max - 1, .max] as [UInt64])
  func varints(_ value: UInt64) throws {
    var writer = ByteWriter()
    writer.varint(value)
    writer.signed(Int64(bitPattern: value))
    writer.fixed64(value)
    var reader = ByteReader(writer.bytes)
    #expect(try reader.varint("a") == value)
    #expect(try reader.signed("b") == Int64(bitPattern: value))
    #expect(try reader.fixed64("c") == value)
    #expect(throws: Never.self) { try reader.finish("d") }
  }

  @Test("§4.9 a count that the bytes cannot hold is refused before memory is reserved")
  func countsAreBounded() {
    var reader = ByteReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2])
    #expect(throws: DecodingFailure(.truncated, field: "n", offset: 0)) { try reader.count("n") }
    var unbounded = ByteReader(Array(repeating: 0xFF, count: 9) + [1])
    #expect(throws: DecodingFailure.self) { try unbounded.count("n", bytesPerElement: 0) }
  }

  @Test("§4.9 strings and blobs carry their length")
  func stringsAndBlobs() throws {
    var writer = ByteWriter()
    writer.string("caf\u{E9}")
    writer.blob([1, 2, 3])
    writer.bool(true)
    var reader = ByteReader(writer.bytes)
    #expect(try reader.string("s") == "caf\u{E9}")
    #expect(try reader.blob("b") == [1, 2, 3])
    #expect(try reader.bool("f"))
    var short = ByteReader([3, 0x61])
    #expect(throws: DecodingFailure(.truncated, field: "s", offset: 0)) { try short.string("s") }
  }
}
