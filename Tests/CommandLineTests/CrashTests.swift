import Testing

@Suite("killed while writing")
struct CrashTests {
  @Test(
    "§10.1 five kills at random moments, also while opening: every acknowledged write is there once, no entry in part",
    .timeLimit(.minutes(15)))
  func fiveRounds() throws {
    let moai = MoaiFlowProcess(try TemporaryFolder())
    let answer = try moai("crash", "--rounds", "5", "--writers", "4", "--longest", "500")
    answer.expectSuccess()
    #expect(answer.lines.count == 6)
    #expect(answer.lines.last?.contains(", 0 faults") == true)
  }
}
