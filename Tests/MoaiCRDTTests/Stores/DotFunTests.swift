import MoaiCRDT
import MoaiFlowTesting
import Testing

@Suite("§4.2 writes under dots") struct DotFunTests {
  @Test("§4.2 behaves as a sorted dictionary", arguments: UInt64(1)...100)
  func agreesWithADictionary(seed: UInt64) {
    var generator = SplitMix64(seed: seed)
    var writes = DotFun<Int>()
    var model: [Dot: Int] = [:]
    for step in 0..<40 {
      let dot = Dot(ReplicaID(UInt64(generator.below(2))), UInt64(1 + generator.below(4)))
      switch generator.below(4) {
      case 0, 1:
        writes.insert(dot, step)
        model[dot] = step
      case 2:
        #expect(writes.removeValue(of: dot) == model.removeValue(forKey: dot))
      default:
        let bound = generator.below(40)
        let removed = writes.removeAll { $1 < bound && $0.replica == dot.replica }
        let expected = model.filter { $1 < bound && $0.replica == dot.replica }
        #expect(removed.map(\.dot) == expected.keys.sorted())
        #expect(removed.allSatisfy { expected[$0.dot] == $0.value })
        for dot in expected.keys { model[dot] = nil }
      }
      #expect(writes.map(\.dot) == model.keys.sorted())
      #expect(writes.allSatisfy { model[$0.dot] == $0.value && writes[$0.dot] == $0.value })
      #expect(writes.count == model.count && writes.isEmpty == model.isEmpty)
      #expect(writes.contains(dot) == (model[dot] != nil))
      #expect(writes.checkInvariants() == [])
    }
  }

  @Test("§4.3 writes that were visible go, those that came later stay")
  func removesByPredicate() {
    var writes = DotFun<Int>()
    for number in UInt64(1)...3 { writes.insert(Dot(ReplicaID(1), number), Int(number) * 10) }
    let removed = writes.removeAll { _, revision in revision <= 20 }
    #expect(removed.map(\.value) == [10, 20])
    #expect(writes.map(\.value) == [30])
  }
}
