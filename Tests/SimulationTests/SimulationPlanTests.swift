import MoaiFlowTesting
import Testing

@Suite struct SimulationPlanTests {
  @Test("a plan is a function of its seed; other seeds have other plans")
  func functionOfSeed() {
    let texts = (1...50).map { seed in SimulationPlan(seed: UInt64(seed)).steps.map { "\($0) \($0.seed)" } }
    #expect(texts == (1...50).map { seed in SimulationPlan(seed: UInt64(seed)).steps.map { "\($0) \($0.seed)" } })
    #expect(Set(texts).count == 50)
  }

  @Test("every kind of step comes up in some plan")
  func everyKind() {
    var kinds: Set<StepKind> = []
    for seed in 1...300 { for step in SimulationPlan(seed: UInt64(seed)).steps { kinds.insert(step.kind) } }
    #expect(kinds == Set(StepKind.allCases))
  }

  @Test("a part of a plan keeps numbers, times and dice, and names itself on its command line")
  func keeping() {
    let whole = SimulationPlan(seed: 12)
    let part = whole.keeping([2, 5])
    #expect(part.steps.map(\.number) == [2, 5])
    #expect(part.steps.map(\.seed) == [whole.steps[2].seed, whole.steps[5].seed])
    #expect(part.commandLine == "make simulate SEED=12 STEPS=2,5")
    #expect(whole.commandLine == "make simulate SEED=12")
  }
}
