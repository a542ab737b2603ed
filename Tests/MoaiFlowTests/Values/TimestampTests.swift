import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite struct TimestampTests {
  @Test(
    "§1.5 RFC 3339 is read, with any offset, and UTC without one",
    arguments: [
      ("1970-01-01T00:00:00Z", 0, 0), ("1970-01-01T00:00:00", 0, 0), ("1970-01-01T00:00:00.001Z", 1, 0),
      ("1969-12-31T23:59:59.999Z", -1, 0), ("1970-01-01T01:00:00+01:00", 0, 0), ("1969-12-31T18:30:00-05:30", 0, 0),
      ("2025-11-29t10:00:00z", 1_764_410_400_000, 0), ("2024-02-29T00:00:00Z", 1_709_164_800_000, 0),
      ("2000-02-29T12:34:56.7Z", 951_827_696_700, 0), ("0000-01-01T00:00:00Z", -62_167_219_200_000, 0),
      ("9999-12-31T23:59:59.999Z", 253_402_300_799_999, 0), ("1970-01-01T00:00:00.000001Z", 0, 1),
      ("1970-01-01T00:00:00.123456789Z", 123, 456), ("1970-01-01T00:00:00.1239999Z", 123, 999),
      ("1970-01-01T00:00:00.12345", 123, 450), ("1970-01-01T00:00:00-00:00", 0, 0),
    ] as [(String, Int64, UInt16)])
  func validTimesAreRead(text: String, milliseconds: Int64, logical: UInt16) throws {
    #expect(try Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds, logical: logical))
  }

  @Test(
    "§1.5 what is no time is refused",
    arguments: [
      "", "2025", "2025-11-29", "2025-11-29 10:00:00Z", "2025-11-29T10:00Z", "2025-13-01T00:00:00Z",
      "2025-00-01T00:00:00Z",
      "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2025-04-31T00:00:00Z", "2025-01-00T00:00:00Z",
      "2025-01-32T00:00:00Z",
      "2025-01-01T24:00:00Z", "2025-01-01T00:60:00Z", "2016-12-31T23:59:60Z", "2025-01-01T00:00:61Z",
      "2025-01-01T00:00:00.Z",
      "2025-01-01T00:00:00,5Z", "2025-01-01T00:00:00+1:00", "2025-01-01T00:00:00+0100", "2025-01-01T00:00:00+24:00",
      "2025-01-01T00:00:00+00:60", "2025-01-01T00:00:00ZZ", "2025-01-01T00:00:00Z ", " 2025-01-01T00:00:00Z",
      "+2025-01-01T00:00:00Z",
      "12025-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
      "２025-01-01T00:00:00Z", "2025-01-01T00:00:00Z\0",
    ])
  func invalidTimesAreRefused(text: String) {
    #expect(throws: TimestampError.self) { try Timestamp(rfc3339: text) }
  }

  @Test("§1.5 microseconds together with an explicit logical are an error")
  func microsecondsAndLogicalExclude() throws {
    let error = #expect(throws: TimestampError.self) {
      try Timestamp(rfc3339: "1970-01-01T00:00:00.000001Z", logical: 1)
    }
    #expect(error?.isAboutLogical == true)
    #expect(throws: TimestampError.self) { try Timestamp(rfc3339: "1970-01-01T00:00:00.0005", logical: 0) }
    #expect(try Timestamp(rfc3339: "1970-01-01T00:00:00.005Z", logical: 7) == Timestamp(milliseconds: 5, logical: 7))
  }

  @Test("§1.5 milliseconds are written with three digits and read back", arguments: 0..<20)
  func writtenTimesAreReadBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let range = Timestamp.writableMilliseconds
    for _ in 0..<500 {
      let span = UInt64(range.upperBound - range.lowerBound) + 1
      let timestamp = Timestamp(milliseconds: range.lowerBound + Int64(random.next() % span))
      let text = timestamp.rfc3339
      #expect(text.utf8.count == 24)
      #expect(try Timestamp(rfc3339: text) == timestamp)
    }
    #expect(Timestamp(milliseconds: 1_764_410_400_007, logical: 3).rfc3339 == "2025-11-29T10:00:00.007Z")
  }

  @Test("§1.5 days follow one another without a gap")
  func everyDayHasOneDate() throws {
    var texts: Set<String> = []
    for day in stride(from: -800_000, through: 2_900_000 as Int64, by: 97) {
      for next in day...day + 1 {
        let timestamp = Timestamp(milliseconds: next * 86_400_000)
        guard Timestamp.writableMilliseconds.contains(timestamp.milliseconds) else { continue }
        #expect(try Timestamp(rfc3339: timestamp.rfc3339) == timestamp)
        #expect(texts.insert(timestamp.rfc3339).inserted)
      }
    }
  }
}
