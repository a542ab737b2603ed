import MoaiCRDT
import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite struct JSONTests {
  @Test(
    "§2.1 RFC 8259: what must be accepted",
    arguments: [
      ("[]", []), ("[ ]", []), (" \t\r\n[\n] ", []), ("{}", [:]), ("null", .null), ("true", true), ("[false]", [false]),
      ("0", 0),
      ("-0", 0), ("-1", -1), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)), ("1.0", 1.0),
      ("-0.0", 0.0), ("1e3", 1000.0), ("1E+2", 100.0), ("1e-2", 0.01), ("0e1", 0.0), ("0.5e00", 0.5), ("1e-999", 0.0),
      ("123.456e-3", 0.123456), ("9007199254740993.0", 9_007_199_254_740_992.0), ("18446744073709551616.0", 0x1p64),
      ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)), ("5e-324", .double(.leastNonzeroMagnitude)),
      ("0.1000000000000000055511151231257827", 0.1), ("\"\"", ""), ("\"a\"", "a"),
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
      (#""\u0000\u001f\u007f""#, "\0\u{1F}\u{7F}"), (#""\u00e9\u00E9""#, "éé"), (#""\ud83d\ude00""#, "😀"),
      (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
      ("\"\u{2028}\u{7F}é😀\"", "\u{2028}\u{7F}é😀"), (#""\uFFFF""#, "\u{FFFF}"), (#"{"b":1,"a":2}"#, ["a": 2, "b": 1]),
      (#"{"":0}"#, ["": 0]),
      (#"{"a" : {"a" : [ 1 , null ] } }"#, ["a": ["a": [1, .null]]]), ("[[],{},[[]]]", [[], [:], [[]]]),
    ] as [(String, StateValue)])
  func validTextIsRead(text: String, value: StateValue) throws {
    #expect(try JSONParser().parse(text) == value)
  }

  @Test(
    "§2.1 RFC 8259: what must be refused",
    arguments: [
      "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "{]", "{\"a\"", "{\"a\":",
      "{\"a\":1", "{\"a\":1,",
      "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}", "{\"a\":1 \"b\":2}",
      "[1]x", "[1][2]", "1 2",
      "nul", "nulll", "True", "tru", "falsy", "NaN", "Infinity", "-Infinity", "nan", "+1", "01", "-01", "00", "-",
      "--1", "1.", ".5", "-.5",
      "1.e3", "1e", "1e+", "1e-", "1e1.5", "0x10", "1_000", "1,000", "1.5.5", "１", "\"", "\"a", "\"\\\"", "'a'",
      "\"\\a\"", "\"\\x41\"",
      "\"\\u\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\U0041\"", "\"\n\"", "\"\t\"", "\"\0\"", "\"\\", "\"\\u",
      "// comment\n1", "/**/1", "[1]#",
      "\u{FEFF}[]", "[\u{A0}1]", "[\u{B}]", "[\u{C}]", "\0", "[1]\0", "undefined", "\"a\" \"b\"", "{\"a\":\"b\"}/",
    ])
  func invalidTextIsRefused(text: String) {
    #expect(throws: JSONError.self) { try JSONParser().parse(text) }
  }

  @Test(
    "§2.1 what RFC 8259 leaves open is refused with its own reason",
    arguments: [
      ("9223372036854775808", .integerOutOfRange), ("-9223372036854775809", .integerOutOfRange),
      ("100000000000000000000", .integerOutOfRange), ("1e999", .doubleOutOfRange), ("-1e309", .doubleOutOfRange),
      ("1.8e308", .doubleOutOfRange), ("[1e99999999999999999999]", .doubleOutOfRange), (#""\ud800""#, .loneSurrogate),
      (#""\udc00""#, .loneSurrogate), (#""\ud800x""#, .loneSurrogate), (#""\ud800\n""#, .loneSurrogate),
      (#""\ud800\ud800""#, .loneSurrogate), (#""\ud800\u0041""#, .loneSurrogate), (#"{"a":1,"a":1}"#, .duplicateField),
      (#"{"a":1,"b":2,"\u0061":3}"#, .duplicateField), ("[\"\u{1}\"]", .controlCharacter),
    ] as [(String, JSONError.Reason)])
  func openCasesAreRefused(text: String, reason: JSONError.Reason) {
    let error = #expect(throws: JSONError.self) { try JSONParser().parse(text) }
    #expect(error?.reason == reason)
  }

  @Test("§1.2 equivalent field names are two fields")
  func composedBesideDecomposedIsNoDuplicate() throws {
    let value = try JSONParser().parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(value["\u{E9}"] == 1)
    #expect(value["e\u{301}"] == 2)
  }

  @Test(
    "§2.1 invalid UTF-8 is refused",
    arguments: [
      [0xFF], [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88, 0x80, 0x80, 0x80],
      [0xE2, 0x82],
    ] as [[UInt8]])
  func invalidUTF8IsRefused(bytes: [UInt8]) {
    for text in [[0x22] + bytes + [0x22], [0x22, 0x5C, 0x6E] + bytes + [0x22]] as [[UInt8]] {
      let error = #expect(throws: JSONError.self) { try JSONParser().parse(text) }
      #expect(error?.reason == .invalidUTF8)
    }
    #expect(throws: JSONError.self) { try JSONParser().parse(bytes) }
  }

  @Test func anErrorSaysWhere() {
    let error = #expect(throws: JSONError.self) {
      try JSONParser().parse("{\"versions\": [\n  {\"a/b~c\": 1},\n  {\"a/b~c\": 01}]}")
    }
    #expect(error?.pointer.text == "/versions/1/a~1b~0c")
    #expect(error?.line == 3)
    #expect(error?.column == 13)
    #expect(error?.offset == 43)
    #expect(error?.description == "line 3, column 13 (byte 43), at /versions/1/a~1b~0c: a malformed number")
    let duplicate = #expect(throws: JSONError.self) {
      try JSONParser().parse("[{\"x\": {\"b\": 1, \"a\": 1, \"b\": 2}}]")
    }
    #expect(duplicate?.pointer.text == "/0/x/b")
  }

  @Test("§2.1 5,000 levels are an error that names the limit, not a crash", arguments: ["[", "{\"a\":"])
  func deepTextIsRefused(opening: String) {
    let error = #expect(throws: JSONError.self) {
      try JSONParser(limits: JSONLimits(depth: 5_000)).parse(String(repeating: opening, count: 5_000))
    }
    #expect(error?.reason == .overLimit("nested deeper than 512 levels"))
  }

  @Test func limitsHoldWhileParsing() throws {
    let limits = JSONLimits(bytes: 20, depth: 2, elements: 5)
    let parser = JSONParser(limits: limits)
    #expect(try parser.parse("[[1],2,3]") == [[1], 2, 3])
    for (text, reason) in [
      ("[[[]]]", "nested deeper than 2 levels"), ("[1,2,3,4,5]", "more than 5 values"),
      ("\"0123456789 0123456789\"", "the text has 23 bytes, at most 20"),
    ] {
      let error = #expect(throws: JSONError.self) { try parser.parse(text) }
      #expect(error?.reason == .overLimit(reason))
    }
  }

  @Test("§2.1 canonical bytes: fields sorted by bytes, no spaces, minimal escapes, shortest doubles")
  func canonicalFormIsExact() {
    let value: StateValue = [
      "b": [1, 1.0, -0.5, .null, true, false], "a": "\"\\/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é\u{2028}", "B": [:],
      "é": [],
    ]
    #expect(
      JSONWriter.text(value)
        == "{\"B\":{},\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7F}é\u{2028}\",\"b\":[1,1.0,-0.5,null,true,false],\"é\":[]}"
    )
    #expect(JSONWriter.text(["b": [1, 2], "a": [:], "c": []], style: .spaced) == #"{"a": {}, "b": [1, 2], "c": []}"#)
  }

  @Test(
    "§2.1 shortest doubles, in Python's form",
    arguments: [
      (1, "1.0"), (100, "100.0"), (0.1, "0.1"), (1e15, "1000000000000000.0"),
      (9_007_199_254_740_994, "9007199254740994.0"),
      (9_999_999_999_999_998, "9999999999999998.0"), (1e16, "1e+16"),
      (12_345_678_901_234_568, "1.2345678901234568e+16"),
      (1e22, "1e+22"), (0.0001, "0.0001"), (0.00001, "1e-05"), (5e-324, "5e-324"),
      (1.7976931348623157e308, "1.7976931348623157e+308"),
      (-123.456, "-123.456"),
    ] as [(Double, String)])
  func doublesAreShortest(number: Double, text: String) {
    #expect(JSONWriter.text(.double(number)) == text)
  }

  @Test("§2.1 canonical bytes are read back as the same value and written the same", arguments: 0..<40)
  func canonicalTextRoundTrips(seed: UInt64) throws {
    var values = RandomValues(seed: seed)
    for _ in 0..<50 {
      let value = values.value()
      for style in [JSONWriter.Style.canonical, .spaced] {
        let read = try JSONParser().parse(JSONWriter.bytes(value, style: style))
        #expect(read == value)
        #expect(JSONWriter.bytes(read) == JSONWriter.bytes(value))
      }
    }
    var random = SplitMix64(seed: seed)
    for _ in 0..<500 {
      guard let value = StateValue(finite: Double(bitPattern: random.next())) else { continue }
      #expect(try JSONParser().parse(JSONWriter.bytes(value)) == value)
      let number = StateValue.int(Int64(bitPattern: random.next() >> UInt64(random.below(64))))
      #expect(try JSONParser().parse(JSONWriter.bytes(number)) == number)
    }
  }

  @Test("§2.1 every truncation is refused and no flipped bit crashes")
  func damagedTextNeverCrashes() {
    let value: StateValue = [
      "a": [1, -2.5e-10, "t\u{1}\"x\\é😀", .null, true, false], "b": ["c": .int(.min), "d": [[:]]], "e": 1e22,
    ]
    let bytes = JSONWriter.bytes(value, style: .spaced)
    for length in 0..<bytes.count {
      #expect(throws: JSONError.self) { try JSONParser().parse(Array(bytes[..<length])) }
    }
    for place in bytes.indices {
      for byte in UInt8.min...UInt8.max {
        var damaged = bytes
        damaged[place] = byte
        guard let read = try? JSONParser().parse(damaged) else { continue }
        #expect((try? JSONParser().parse(JSONWriter.bytes(read))) == read)
      }
    }
  }
}
