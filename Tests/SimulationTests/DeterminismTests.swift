import Testing

/// One seed is one run: the same in every process, whatever its hash tables look like, and after any other run.
@Suite struct DeterminismTests {
  @Test("§10.1 the same seed gives the same run, event by event, in processes that hash differently")
  func sameEventsInTwoProcesses() throws {
    for seed in ["7", "160", "277"] {
      let first = try Simulator()("--seed", seed, "--trace")
      #expect(first.status == 0)
      #expect(first.lines.count > 20)
      for _ in 0..<3 { #expect(try Simulator()("--seed", seed, "--trace").lines == first.lines) }
    }
  }

  @Test("a run does not depend on the runs before it in its process")
  func runsAreIndependent() throws {
    let together = try Simulator()("--worker", "--from", "40", "--seeds", "20").lines.dropLast()
    let backwards = try (0..<20).map { try Simulator()("--worker", "--from", "\(40 + $0)", "--seeds", "1").lines[0] }
    #expect(Array(together) == backwards)
    #expect(Set(together.map { $0.split(separator: " ")[1] }).count == 20)
  }

  @Test("sharing the seeds among processes changes nothing about the runs")
  func sharing() throws {
    func digest(_ jobs: String) throws -> Substring? {
      try Simulator()("--seeds", "300", "--jobs", jobs).lines.first?.split(separator: " ").last
    }
    let alone = try digest("1")
    #expect(alone != nil)
    #expect(try digest("3") == alone)
  }

  @Test("steps that are left out change nothing about the others")
  func leavingOut() throws {
    let whole = try Simulator()("--seed", "9", "--trace").lines.filter { $0.contains("ms: step ") }
    let numbers = whole.indices.filter { $0 % 3 == 0 }
    let part = try Simulator()("--seed", "9", "--trace", "--steps", numbers.map(String.init).joined(separator: ","))
      .lines.filter { $0.contains("ms: step ") }
    func kinds(_ lines: [String]) -> [Substring] { lines.map { $0[$0.firstRange(of: "step ")!.lowerBound...] } }
    #expect(kinds(part) == kinds(numbers.map { whole[$0] }))
  }
}
