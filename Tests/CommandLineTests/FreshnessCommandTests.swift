import Foundation
import MoaiFlow
import Testing

@Suite("state get, list and changes: --at-least")
struct FreshnessCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess
  static let commands: [[String]] = [["state", "get", "k"], ["state", "list"], ["state", "changes"]]

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "incr", "k").expectSuccess()
  }

  @Test("§5.7 what is there is answered at once", arguments: commands)
  func alreadyThere(command: [String]) throws {
    try moai.run(command + ["--at-least", "1", "--wait-ms", "0"]).expectSuccess()
    let page = try moai("state", "changes", "--since", "head", "--json").json()
    let cursor = try #require(page["cursor"]?.stringValue)
    try moai.run(command + ["--at-least", cursor]).expectSuccess()
  }

  @Test("§5.7 a command waits beside the process that writes", arguments: commands)
  func waitsForAnotherProcess(command: [String]) throws {
    let waiting = try moai.start(command + ["--at-least", "3", "--wait-ms", "50000", "--json"])
    try moai("state", "incr", "k").expectSuccess()
    try moai("state", "incr", "k", "5").expectSuccess()
    let answer = try JSONParser().parse(try waiting.nextLine())
    #expect(waiting.waitForEnd() == 0)
    let reading = answer["keys"]?.arrayValue?[0] ?? answer["changes"]?.arrayValue?[0] ?? answer
    #expect(reading["revision"] == 3)
  }

  @Test("§5.7 a revision that does not come is exit code 1, and says how far the swarm is", arguments: commands)
  func notReached(command: [String]) throws {
    for wait in ["0", "60"] {
      try moai.run(command + ["--at-least", "2", "--wait-ms", wait])
        .expectFailure(1, "revision 2 was not reached in time; the swarm is at revision 1")
    }
    let foreign = Cursor(epoch: Epoch(1), revision: 1).description
    try moai.run(command + ["--at-least", foreign]).expectFailure(1, "another epoch")
  }

  @Test("options that make no sense are named", arguments: commands)
  func badOptions(command: [String]) throws {
    try moai.run(command + ["--wait-ms", "5"]).expectFailure(2, "--at-least")
    try moai.run(command + ["--at-least", "1", "--wait-ms", "-1"]).expectFailure(2, "wait-ms")
    try moai.run(command + ["--at-least", "1", "--wait-ms=-1"]).expectFailure(2, "--wait-ms is 0 to 86400000")
    try moai.run(command + ["--at-least", "soon"]).expectFailure(2, "at-least")
  }
}
