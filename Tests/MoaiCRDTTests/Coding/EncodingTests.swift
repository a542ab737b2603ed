import MoaiCRDT
import MoaiFlowTesting
import Testing

/// The bytes of `docs/Encoding.md`, what the decoders refuse and where, and every damage to small encodings.
@Suite("§4.9 encoding") struct EncodingTests {
  static let a = ReplicaID(0x11)
  static let b = ReplicaID(0x22)

  @Test("§4.9 the example of the document is what is written")
  func documentedExample() {
    var set = ORSet<UTF8String>()
    set.insert("task-1", dot: Dot(Self.a, 1))
    set.insert("task-2", dot: Dot(Self.a, 2))
    set.remove("task-1")
    set.insert("task-27", dot: Dot(Self.b, 1))
    #expect(
      set.encoded() == [
        0x00, 0x04,
        0x02,
        0x11, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x01,
        0x22, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x00, 0x00,
        0x01, 0x01, 0x00, 0x06, 0x74, 0x61, 0x73, 0x6B, 0x2D, 0x32,
        0x01, 0x00, 0x06, 0x01, 0x37,
      ])
  }

  @Test("§4.9 damaged counters are refused or are other counters' own bytes")
  func damagedCounters() throws {
    var counter = PNCounter()
    try counter.add(300, by: Self.a)
    try counter.add(-2, by: Self.a)
    try counter.add(1 << 40, by: Self.b)
    #expect(damageViolations(counter) == [])
  }

  @Test("§4.9 damaged registers are refused or are other registers' own bytes")
  func damagedRegisters() {
    var lastWins = LWWRegister<UTF8String>()
    #expect(damageViolations(lastWins) == [])
    lastWins.assign("v\u{E9}", at: Timestamp(milliseconds: 1_700_000_000_000, logical: 300), by: Self.a)
    #expect(damageViolations(lastWins) == [])
    var left = MVRegister<Int64>()
    var right = left
    left.assign(-5, dot: Dot(Self.a, 3))
    right.assign(.min, dot: Dot(Self.b, 1))
    #expect(damageViolations(left.merging(right)) == [])
  }

  @Test("§4.9 damaged sets and maps are refused or are others' own bytes", arguments: UInt64(1)...6)
  func damagedSetsAndMaps(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var set = ORSet<UTF8String>()
    var addWins = ORMap<UTF8String, DotFun<Int64>>()
    var nested = ORMap<Int64, DotMap<UTF8String, DotSet>>()
    var lastWins = LWWMap<UTF8String, UTF8String>()
    for number in UInt64(1)...6 {
      // Some numbers are left out: gaps in the context.
      guard generator.below(4) > 0 else { continue }
      let dot = Dot(generator.below(2) == 0 ? Self.a : Self.b, number)
      let text = UTF8String("k-\(["", "e\u{301}", "\u{E9}", "long"][generator.below(4)])\(generator.below(3))")
      set.insert(text, dot: dot)
      addWins.put(Int64(generator.below(500)), forKey: text, dot: dot)
      nested.update(Int64(generator.below(2))) { field in
        Causal(
          store: DotMap(text, DotSet(dot, Presence())), context: CausalContext((field.store[text]?.dots ?? []) + [dot]))
      }
      let timestamp = Timestamp(milliseconds: Int64(generator.below(500)), logical: UInt16(generator.below(2)))
      if generator.below(3) == 0 {
        lastWins.remove(text, at: timestamp, dot: dot)
      } else {
        lastWins.put(text, forKey: text, at: timestamp, dot: dot)
      }
    }
    #expect(damageViolations(set) == [])
    #expect(damageViolations(addWins) == [])
    #expect(damageViolations(nested) == [])
    #expect(damageViolations(lastWins) == [])
  }

  @Test("§4.9 random bytes never trap a decoder", arguments: UInt64(1)...4)
  func randomBytes(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    for _ in 0..<2_000 {
      let kind = UInt8(1 + generator.below(6))
      let tail = (0..<generator.below(40)).map { _ in
        // Small bytes are plausible counts and numbers, 0xFF begins overlong ones.
        generator.below(3) == 0 ? UInt8(truncatingIfNeeded: generator.next()) : UInt8(generator.below(4))
      }
      let bytes = [0, kind] + tail
      #expect(acceptsOnlyItsOwn(PNCounter.self, bytes))
      #expect(acceptsOnlyItsOwn(LWWRegister<UTF8String>.self, bytes))
      #expect(acceptsOnlyItsOwn(MVRegister<UTF8String>.self, bytes))
      #expect(acceptsOnlyItsOwn(ORSet<Int64>.self, bytes))
      #expect(acceptsOnlyItsOwn(ORMap<UTF8String, DotFun<UTF8String>>.self, bytes))
      #expect(acceptsOnlyItsOwn(LWWMap<Int64, UTF8String>.self, bytes))
    }
  }

  func acceptsOnlyItsOwn<State: BinaryLattice>(_: State.Type, _ bytes: [UInt8]) -> Bool {
    guard let state = try? State(decoding: bytes) else { return true }
    return state.encoded() == bytes && state.checkInvariants() == []
  }
}
