import MoaiCRDT
import Testing

/// What looks the same and has different bytes is two things, in every type that holds text.
@Suite("§1.2 NFC beside NFD") struct EquivalentTextTests {
  let nfc: UTF8String = "\u{E9}"
  let nfd: UTF8String = "e\u{301}"
  let here = ReplicaID(1)

  @Test("§1.2 a set keeps both, and removes one")
  func setKeepsBoth() throws {
    var set = ORSet<UTF8String>()
    set.insert(nfc, dot: Dot(here, 1))
    set.insert(nfd, dot: Dot(here, 2))
    #expect(set.count == 2)
    #expect(try ORSet<UTF8String>(decoding: set.encoded()).count == 2)
    set.remove(nfc)
    #expect(set.elements.map { Array($0.string.utf8) } == [Array(nfd.string.utf8)])
  }

  @Test("§1.2 maps keep both keys")
  func mapsKeepBoth() throws {
    var addWins = ORMap<UTF8String, DotFun<UTF8String>>()
    addWins.put("1", forKey: nfc, dot: Dot(here, 1))
    addWins.put("2", forKey: nfd, dot: Dot(here, 2))
    #expect(addWins.values(forKey: nfc) == ["1"])
    #expect(addWins.values(forKey: nfd) == ["2"])
    var lastWins = LWWMap<UTF8String, UTF8String>()
    lastWins.put("1", forKey: nfc, at: Timestamp(milliseconds: 1), dot: Dot(here, 1))
    lastWins.put("2", forKey: nfd, at: Timestamp(milliseconds: 1), dot: Dot(here, 2))
    #expect(lastWins[nfc] == "1")
    #expect(try LWWMap<UTF8String, UTF8String>(decoding: lastWins.encoded())[nfd] == "2")
  }

  @Test("§1.2 a register's value keeps its bytes")
  func registersDiffer() {
    var left = LWWRegister<UTF8String>()
    var right = left
    left.assign(nfc, at: Timestamp(milliseconds: 1), by: here)
    right.assign(nfd, at: Timestamp(milliseconds: 1), by: here)
    #expect(left != right)
    #expect(left.merging(right) == right.merging(left))
  }
}
