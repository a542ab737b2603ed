import MoaiFlowTesting
import Testing

@Suite struct ShrinkingTests {
  @Test(
    "exactly the steps that the failure needs are left",
    arguments: [[0], [99], [3, 4], [0, 50, 99], [7, 21, 22, 80]])
  func minimal(needed: [Int]) {
    var calls = 0
    let kept = Shrinking.shrink(Array(0..<100)) { candidate in
      calls += 1
      return needed.allSatisfy(candidate.contains)
    }
    #expect(kept == needed)
    #expect(calls < 400)
  }

  @Test("a failure that needs no step at all ends with none")
  func nothingNeeded() {
    #expect(Shrinking.shrink(Array(0..<40)) { _ in true } == [])
  }

  @Test("a failure that comes and goes ends after the given attempts")
  func bounded() {
    var calls = 0
    let kept = Shrinking.shrink(Array(0..<1_000), attempts: 50) { _ in
      calls += 1
      return calls % 7 == 0
    }
    #expect(calls == 50)
    #expect(kept.count < 1_000)
  }
}
