import MoaiFlow
import MoaiFlowTesting
import Testing

@Suite("StableHash")
struct StableHashTests {
  @Test("every single flipped bit of a long input gives another hash")
  func everyFlippedBitIsNoticed() {
    var random = SplitMix64(seed: 1)
    let input = (0..<61).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    var seen: Set<UInt64> = [hash(of: input)]
    for bit in 0..<input.count * 8 {
      var changed = input
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(seen.insert(hash(of: changed)).inserted, "bit \(bit)")
    }
  }

  @Test("zeros count: runs of zero bytes and zero words of different length differ")
  func zerosCount() {
    var seen: Set<UInt64> = []
    for count in 0..<200 {
      #expect(seen.insert(hash(of: Array(repeating: 0, count: count))).inserted, "\(count) zero bytes")
    }
    seen = []
    var words = StableHash()
    for count in 0..<200 {
      words.combine(0 as UInt64)
      #expect(seen.insert(words.finalize()).inserted, "\(count + 1) zero words")
    }
  }

  @Test("pieces are framed: moving a byte from one to the next gives another hash")
  func piecesAreFramed() {
    let input = Array("moai".utf8)
    var seen: Set<UInt64> = []
    for cut in 0...input.count {
      var hash = StableHash()
      hash.combine(bytes: Array(input[..<cut]))
      hash.combine(bytes: Array(input[cut...]))
      #expect(seen.insert(hash.finalize()).inserted, "cut at \(cut)")
    }
  }

  @Test("a flipped input bit flips about half of the output's bits")
  func avalanche() {
    var random = SplitMix64(seed: 2)
    var flips = Array(repeating: 0, count: 64)
    let rounds = 4_096
    for round in 0..<rounds {
      let word = random.next()
      var before = StableHash()
      before.combine(word)
      var after = StableHash()
      after.combine(word ^ (1 << UInt64(round % 64)))
      let difference = before.finalize() ^ after.finalize()
      for bit in 0..<64 { flips[bit] += Int((difference >> UInt64(bit)) & 1) }
    }
    for (bit, count) in flips.enumerated() {
      #expect((rounds * 4 / 10...rounds * 6 / 10).contains(count), "output bit \(bit) flipped \(count) times")
    }
  }

  @Test("the hash never changes: known inputs keep the values that files on disk carry")
  func knownValues() {
    #expect(hash(of: []) == 0x91F4_5196_AD3A_33CC)
    #expect(hash(of: Array("moai-flow".utf8)) == 0x9597_1CC7_7925_63DA)
    var words = StableHash(seed: 7)
    words.combine(-1 as Int64)
    #expect(words.finalize() == 0xBB58_F862_B70B_7464)
  }

  private func hash(of bytes: [UInt8]) -> UInt64 {
    var hash = StableHash()
    hash.combine(bytes: bytes)
    return hash.finalize()
  }
}
