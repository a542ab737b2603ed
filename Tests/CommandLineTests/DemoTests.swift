import Testing

@Suite("demo")
struct DemoTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  @Test("§10.1 the demo checks what its agents wrote, all of it, in at most 80 columns")
  func theDemoHolds() throws {
    let answer = try moai("demo", "--agents", "3", "--seconds", "1")
    answer.expectSuccess()
    #expect(answer.lines.last?.hasPrefix("All 22 checks hold") == true, "\(answer.output)")
    let isTooLong = answer.lines.filter { $0.count > 80 && !$0.hasPrefix("folder ") }
    #expect(isTooLong == [])
  }

  @Test func demoOptionsAreChecked() throws {
    try moai("demo", "--agents", "1").expectFailure(2, "--agents takes 2 to 64")
    try moai("demo", "--engine", "nats").expectFailure(2, "not available yet")
  }
}
