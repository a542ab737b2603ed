import MoaiCRDT
import MoaiFlowTesting
import Testing

/// Tables grow, logs are swept, slots are taken again: with thousands of elements, beside plain dictionaries.
@Suite("§4.9 large states") struct LargeStateTests {
  let a = ReplicaID(1)
  let b = ReplicaID(2)

  @Test("§4.9 a set that grows and shrinks stays sound, and its memory of removed elements is bounded")
  func setGrowsAndShrinks() throws {
    var generator = SplitMix64(seed: 3)
    var set = ORSet<Int64>()
    var model: Set<Int64> = []
    for step in 1...4_000 {
      let element = Int64(generator.below(500))
      // Mostly inserts first, mostly removes later.
      if generator.below(4_000) > step {
        set.insert(element, dot: Dot(a, UInt64(step)))
        model.insert(element)
      } else {
        set.remove(element)
        model.remove(element)
      }
      if step % 500 == 0 { #expect(set.checkInvariants() == []) }
    }
    #expect(Set(set.elements) == model)
    #expect(set.count == model.count)
    #expect(encodingViolations(set) == [])
    set.removeAll()
    #expect(set.isEmpty)
    #expect(set.checkInvariants() == [])
  }

  @Test("§4.9 two large sets, half shared, merge to their union, both ways and by delta")
  func largeSetsMerge() throws {
    var left = ORSet<UTF8String>()
    var right = ORSet<UTF8String>()
    for index in 0..<2_000 {
      left.insert(UTF8String("item-\(index)"), dot: Dot(a, UInt64(index + 1)))
      right.insert(UTF8String("item-\(index + 1_000)"), dot: Dot(b, UInt64(index + 1)))
    }
    let joined = left.merging(right)
    #expect(joined.count == 3_000)
    #expect(joined == right.merging(left))
    #expect(joined.checkInvariants() == [])
    #expect(left.merging(right.delta(since: left.context)) == joined)
    var removed = joined
    for index in 0..<1_500 { removed.remove(UTF8String("item-\(index)")) }
    #expect(joined.merging(removed).count == 1_500)
    #expect(left.merging(removed.delta(since: left.context)) == left.merging(removed))
    #expect(encodingViolations(removed) == [])
  }

  @Test("§4.9 the delta of a few changes is small, however many came before")
  func deltaCostsWhatChanged() throws {
    var sizes: [Int] = []
    for keys in [100, 5_000] {
      var map = LWWMap<UTF8String, UTF8String>()
      for index in 0..<keys {
        map.put(
          "value", forKey: UTF8String("key-\(index)"), at: Timestamp(milliseconds: 1_000),
          dot: Dot(a, UInt64(index + 1)))
      }
      let before = map
      for index in 0..<10 {
        map.put(
          "news", forKey: UTF8String("key-\(index)"), at: Timestamp(milliseconds: 2_000), dot: Dot(b, UInt64(index + 1))
        )
      }
      let delta = map.delta(since: before.context)
      #expect(before.merging(delta) == map)
      sizes.append(delta.encoded().count)
    }
    #expect(sizes[0] == sizes[1])
  }

  @Test("§4.9 a map written over and over keeps a log in proportion to its keys")
  func overwritingIsSwept() {
    var map = LWWMap<Int64, Int64>()
    for step in 1...3_000 {
      map.put(Int64(step), forKey: Int64(step % 7), at: Timestamp(milliseconds: Int64(step)), dot: Dot(a, UInt64(step)))
    }
    #expect(map.checkInvariants() == [])
    #expect(map.count == 7)
    #expect(map[Int64(3_000 % 7)] == 3_000)
    #expect(map.encoded().count < 200)
  }
}
