import MoaiCRDT
import Testing

@Suite("§1.2 identity by bytes") struct UTF8StringTests {
  static let nfc: UTF8String = "caf\u{E9} with enough text to leave the small form"
  static let nfd: UTF8String = "cafe\u{301} with enough text to leave the small form"

  @Test("§1.2 canonical equivalents differ in equality, hash and order")
  func equivalentsDiffer() {
    #expect(Self.nfc.string == Self.nfd.string)
    #expect(Self.nfc != Self.nfd)
    #expect(Set([Self.nfc, Self.nfd, Self.nfc]).count == 2)
    #expect(Self.nfd < Self.nfc)
    #expect("e\u{301}" as UTF8String != "\u{E9}")
  }

  @Test("§1.2 equal bytes are equal however the string is stored")
  func storageDoesNotMatter() {
    let long = String(repeating: "0123456789", count: 4)
    let copy = UTF8String(String(decoding: Array(long.utf8), as: UTF8.self))
    #expect(copy == UTF8String(long))
    #expect(copy.hashValue == UTF8String(long).hashValue)
    #expect(UTF8String(String(long.prefix(9))) == UTF8String("012345678"))
  }

  @Test(
    "§1.2 order is that of the bytes",
    arguments: [
      ("", "a"), ("a", "b"), ("a", "aa"), ("aaaaaaaab", "aaaaaaaac"), ("Z", "a"), ("z", "\u{E9}"),
      ("\u{FFFF}", "\u{10000}"),
    ] as [(UTF8String, UTF8String)])
  func ordersByBytes(_ smaller: UTF8String, _ greater: UTF8String) {
    #expect(smaller < greater)
    #expect(!(greater < smaller))
  }
}
