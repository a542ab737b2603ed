import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite struct StateValueBinaryTests {
  @Test("§2.1 the binary form round-trips", arguments: 0..<30)
  func everyValueRoundTrips(seed: UInt64) throws {
    var values = RandomValues(seed: seed)
    for _ in 0..<50 {
      let value = values.value()
      let bytes = encoded(value)
      let decoded = try decode(bytes)
      #expect(decoded == value)
      #expect(encoded(decoded) == bytes)
    }
  }

  @Test("§2.1 what decodes is canonical: any flipped or missing byte gives an error or another value")
  func damagedBytesNeverGiveTheSameValue() throws {
    let value: StateValue = ["a": [1, 2.5, "text", .null, true], "b": ["c": -7, "d": []], "é": "e\u{301}"]
    let bytes = encoded(value)
    for length in 0..<bytes.count {
      #expect(throws: DecodingFailure.self) { try decode(Array(bytes[..<length])) }
    }
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << UInt8(bit)
        guard let decoded = try? decode(damaged) else { continue }
        #expect(decoded != value)
        #expect(encoded(decoded) == damaged)
      }
    }
  }

  @Test(
    "§2.1 forms that the encoder never writes are refused",
    arguments: [
      [8], [4, 0, 0, 0, 0, 0, 0, 0, 0x80], [4, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F], [4, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F],
      [7, 2, 1, 98, 0, 1, 97, 0], [7, 2, 1, 97, 0, 1, 97, 0], [5, 1, 0xFF], [5, 0x80, 0],
      [6, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
      [0, 0],
    ] as [[UInt8]])
  func nonCanonicalBytesAreRefused(bytes: [UInt8]) {
    #expect(throws: DecodingFailure.self) { try decode(bytes) }
  }

  @Test("§2.1 5,000 levels are an error, not a crash")
  func deepInputIsRefused() {
    #expect(throws: DecodingFailure.self) { try decode(repeated([6, 1])) }
    #expect(throws: DecodingFailure.self) { try decode(repeated([7, 1, 1, 97])) }
  }

  #if os(Linux)
    @Test("§2.1 arrays inside one another that all claim the rest of the input take no memory for it")
    func claimedElementsTakeNoMemory() throws {
      let filler = [UInt8](repeating: 9, count: 8 << 20)
      var writer = ByteWriter()
      for _ in 0..<60 {
        writer.byte(6)
        writer.count(filler.count)
      }
      let before = try addressSpacePeak()
      #expect(throws: DecodingFailure.self) { try decode(writer.bytes + filler) }
      // 60 times 8 Mi elements of 17 bytes would be 8 GB.
      #expect(try addressSpacePeak() - before < 2 << 20)
    }

    /// In KiB.
    private func addressSpacePeak() throws -> Int {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") })
      return try #require(Int(line.filter(\.isNumber)))
    }
  #endif

  private func repeated(_ bytes: [UInt8]) -> [UInt8] {
    (0..<5_000).reduce(into: []) { all, _ in all += bytes }
  }

  private func encoded(_ value: StateValue) -> [UInt8] {
    var writer = ByteWriter()
    value.encode(into: &writer)
    return writer.bytes
  }

  private func decode(_ bytes: [UInt8]) throws -> StateValue {
    var reader = ByteReader(bytes)
    let value = try StateValue(from: &reader)
    try reader.finish("value")
    return value
  }
}
