import MoaiCRDT
import MoaiFlow
import Testing

@Suite("state: history, explain, rewind")
struct StateHistoryTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "set", "config", #"{"retries": 3, "timeout": 30}"#, "--type", "map").expectSuccess()
    try moai("state", "put", "config", "timeout", "0", "--agent", "mallory").expectSuccess()
    try moai("state", "incr", "served", "2").expectSuccess()
    try moai("state", "incr", "served", "40", "--agent", "mallory").expectSuccess()
    try moai("state", "put", "config", "retries", "5", "--agent", "bob").expectSuccess()
  }

  @Test("§6.1 history in a pipe is revision, time, agent and change; with --json pages")
  func history() throws {
    let answer = try moai("state", "history", "config")
    answer.expectSuccess()
    let rows = answer.lines.map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.map { $0[0] } == ["5", "2", "1"])
    #expect(rows.map { $0[2] } == ["bob", "mallory", "alice"])
    #expect(rows[0][3] == "\"retries\": 5")
    #expect(rows[2][3] == "created as {\"retries\": 3, \"timeout\": 30}")
    let page = try moai("state", "history", "config", "--limit", "2", "--json").json()
    #expect(page.fieldNames == ["changes", "horizon", "next", "revision", "state_key"])
    #expect(page["next"] == "2")
    #expect(
      page["changes"]?.arrayValue?[0].fieldNames
        == ["agent_id", "crdt_type", "delta", "revision", "timestamp", "version"])
    let rest = try moai("state", "history", "config", "--before", "2", "--json").json()
    #expect(rest["changes"]?.arrayValue?.map { $0["revision"] } == [1])
    #expect(rest["changes"]?.arrayValue?[0]["created"] == true)
    try moai("state", "history", "absent").expectFailure(1, "nothing ever changed it")
    try moai("state", "history", "config", "--before", "99").expectFailure(2, "in the future")
    try moai("state", "history", "config", "--limit", "0").expectFailure(2, "--limit is at least 1")
  }

  @Test("§6.1 explain answers in sentences, within 80 columns; with --json in fields")
  func explain() throws {
    let answer = try moai("state", "explain", "config")
    answer.expectSuccess()
    #expect(answer.lines[0] == "config is a map of 2 fields.")
    #expect(answer.output.contains("\"timeout\": 0\n  put by mallory at revision 2, 20"))
    #expect(answer.output.contains("\n  over 30 by alice (revision 1), which mallory had seen\n"))
    #expect(answer.lines.allSatisfy { $0.count <= 80 })
    #expect(!answer.output.contains("\u{1B}"))
    let field = try moai("state", "explain", "config", "--field", "timeout", "--json").json()
    #expect(field["part_count"] == 1)
    let part = try #require(field["parts"]?.arrayValue?[0])
    #expect(part.fieldNames == ["field", "lost", "lost_count", "shown", "survived"])
    #expect(part["shown"]?.fieldNames.contains("revision") == true)
    #expect(part["lost"]?.arrayValue?[0]["rule"] == "overwritten")
    let counter = try moai("state", "explain", "served")
    #expect(counter.lines[0] == "served is a counter: 42.")
    #expect(counter.output.contains("  +40 by mallory, in 1 entry\n"))
    try moai("state", "explain", "absent").expectFailure(1, "there never was such a key")
    try moai("state", "explain", "config", "--field", "a", "--element", "1").expectFailure(2, "not both")
    let gone = try moai("state", "explain", "config", "--field", "nothing")
    #expect(gone.output.contains("\"nothing\" is not there."))
  }

  @Test("§6.2 §6.3 a dry run writes nothing; the rewind does what it said; rewinding it undoes it")
  func rewind() throws {
    let before = try moai("state", "list", "--values", "--json").json()
    let dry = try moai("state", "rewind", "--agent", "mallory", "--since", "0", "--dry-run", "--json").json()
    #expect(
      dry.fieldNames == [
        "blocked", "changes", "dependent_count", "dependents", "entries", "planned_at", "revision", "unchanged",
      ])
    #expect(dry["revision"] == .some(.null))
    #expect(dry["changes"]?.arrayValue?.map { $0["state_key"] } == ["config", "served"])
    #expect(dry["changes"]?.arrayValue?[1]["before"] == 42)
    #expect(dry["dependents"]?.arrayValue?.map { $0["agent_id"] } == ["bob"])
    #expect(try moai("state", "list", "--values", "--json").json() == before)

    let done = try moai("state", "rewind", "--agent", "mallory", "--since", "0")
    done.expectSuccess()
    #expect(done.lines[0] == "Took back 2 entries of mallory; 2 keys change:")
    #expect(done.output.contains("    \"timeout\": 0 → 30\n"))
    #expect(done.output.contains("    42 → 2\n"))
    #expect(done.output.contains("Written as revision 6;"))
    #expect(try moai("state", "get", "config").output == "{\"retries\": 5, \"timeout\": 30}\n")
    #expect(try moai("state", "get", "served", "--at", "5").output == "42\n")
    #expect(try moai("log", "--since", "5", "--json").json()["agent_id"] == "alice")

    try moai("state", "rewind", "--revision", "6", "--author", "bob").expectSuccess()
    #expect(try moai("state", "get", "served").output == "42\n")
    #expect(try moai("state", "get", "config", "--json").json()["agent_id"] == "bob")
    try moai("check").expectSuccess()
  }

  @Test("§6.3 a blocked key stops the rewind with exit code 1; --partial leaves it out; --keys limits it")
  func blocked() throws {
    try moai("state", "delete", "config", "--agent", "mallory").expectSuccess()
    try moai("state", "add", "config", "1").expectSuccess()
    let stopped = try moai("state", "rewind", "--agent", "mallory", "--since", "0")
    #expect(stopped.status == 1)
    #expect(stopped.errors.contains("1 key cannot be rewound"))
    #expect(stopped.output.contains("  config: it was deleted by what would be taken back"))
    #expect(try moai("state", "get", "served").output == "42\n")
    try moai("state", "rewind", "--agent", "mallory", "--since", "0", "--keys", "nothing*").expectFailure(
      1, "nothing to take back")
    try moai("state", "rewind", "--agent", "mallory", "--since", "0", "--partial").expectSuccess()
    #expect(try moai("state", "get", "served").output == "2\n")
  }

  @Test("a rewind says what it needs")
  func usage() throws {
    for arguments in [["--agent", "a"], ["--since", "1"], [], ["--agent", "a", "--since", "1", "--revision", "1"]] {
      try moai.run(["state", "rewind"] + arguments).expectFailure(2, "give --agent and --since together")
    }
    try moai("state", "rewind", "--revision", "99").expectFailure(2, "in the future")
    try moai("state", "rewind", "--agent", "not a name", "--since", "1").expectFailure(2, "--agent")
    try moai("state", "rewind", "--agent", "nobody", "--since", "0", "--dry-run").expectFailure(
      1, "nothing to take back")
  }

  @Test("§6.3 without an author a rewind is the operator's")
  func operatorRewinds() throws {
    var anonymous = moai
    anonymous.environment["MOAI_FLOW_AGENT"] = nil
    try anonymous("state", "rewind", "--revision", "2").expectSuccess()
    #expect(try moai("state", "get", "config", "--json").json()["agent_id"] == "operator")
  }
}
