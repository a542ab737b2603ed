import MoaiCRDT
import MoaiFlow
import Testing

@Suite("log")
struct LogTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "incr", "n", "3").expectSuccess()
    try moai("state", "add", "n", "1").expectFailure(1, "n: it holds a counter")
    try moai("state", "set", "m", #"{"f": 1}"#, "--type", "map", "--agent", "bob").expectSuccess()
    try moai("swarms", "settings", "default", "-", input: Array("{}".utf8)).expectSuccess()
    try moai("state", "delete", "m", "--if-revision", "3").expectSuccess()
  }

  @Test("entries are readable: who, when, what was asked, and by replay the outcome")
  func entriesAreReadable() throws {
    let answer = try moai("log", "--json")
    answer.expectSuccess()
    let entries = try answer.lines.map { try JSONParser().parse($0) }
    #expect(entries.map { $0["revision"]?.intValue } == [1, 2, 3, 4, 5])
    #expect(
      entries[0].fieldNames == ["agent_id", "appended_at", "command_id", "outcome", "revision", "writes"])
    #expect(entries[0]["writes"] == [["state_key": "n", "ops": [["op": "increment", "by": 3]]]])
    #expect(
      entries[0]["outcome"] == [
        "result": "applied", "revision": 1,
        "keys": [["state_key": "n", "revision": 1, "version": 1, "changed": true, "overwrote": []]],
      ])
    #expect(entries[1]["outcome"]?["refusal"]?["code"] == "type_mismatch")
    #expect(entries[1]["outcome"]?["result"] == "refused")
    #expect(entries[2]["agent_id"] == "bob")
    #expect(entries[2]["writes"]?.arrayValue?[0]["value_of"] == "map")
    #expect(entries[3].fieldNames == ["agent_id", "appended_at", "command_id", "outcome", "revision", "settings"])
    #expect(entries[4]["writes"] == [["state_key": "m", "delete": true, "if_revision": 3]])
  }

  @Test("since, limit and follow cut it")
  func cuts() throws {
    let answer = try moai("log", "--since", "2", "--limit", "2")
    #expect(answer.lines.map { $0.split(separator: "\t").first } == ["3", "4"])
    let follow = try moai.start("log", "--since", "4", "--follow", "--limit", "2")
    #expect(try follow.nextLine().hasPrefix("5\t"))
    try moai("state", "incr", "n").expectSuccess()
    #expect(try follow.nextLine().hasPrefix("6\t"))
    #expect(follow.waitForEnd() == 0)
  }
}
