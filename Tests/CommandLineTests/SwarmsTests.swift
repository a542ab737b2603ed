import MoaiCRDT
import MoaiFlow
import Testing

@Suite("swarms and their settings")
struct SwarmsTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  @Test("created, listed, shown, deleted")
  func lifeOfASwarm() throws {
    let created = try moai("swarms", "create", "research", "--json").json()
    #expect(created["swarm"] == "research")
    let list = try moai("swarms", "list", "--json").json()
    #expect(list.fieldNames == ["next", "swarms"])
    #expect(list["swarms"]?.arrayValue?.map { $0["swarm"] } == ["default", "research"])
    try moai("state", "incr", "n", "--swarm", "research").expectSuccess("1\n")
    try moai("state", "get", "n").expectFailure(1, "no such key")
    let shown = try moai("swarms", "show", "research", "--json").json()
    #expect(
      shown.fieldNames == [
        "chain", "checkpoint", "cursor", "epoch", "horizon", "keys", "limits", "policies", "revision", "swarm",
      ])
    #expect(shown["keys"] == 1)
    #expect(shown["epoch"] == created["epoch"])
    try moai("swarms", "delete", "research", "--yes").expectSuccess("")
    try moai("swarms", "show", "research").expectFailure(1, "no swarm")
  }

  @Test("§4.1 policies decide a key's type and who may write it")
  func policiesDecide() throws {
    let settings = #"{"policies": [{"pattern": "hits/*", "crdt_type": "counter", "writers": ["bot-*"]}]}"#
    let file = try folder.file("settings.json", Array(settings.utf8))
    try moai("swarms", "create", "s", "--settings", file).expectSuccess()
    let shown = try moai("swarms", "show", "s", "--json").json()
    #expect(
      shown["policies"] == [["pattern": "hits/*", "crdt_type": "counter", "writers": ["bot-*"]]])
    try moai("state", "incr", "hits/a", "--swarm", "s").expectFailure(1, "its policy does not let alice write it")
    try moai("state", "incr", "hits/a", "--swarm", "s", "--agent", "bot-1").expectSuccess("1\n")
    try moai("state", "add", "hits/b", "1", "--swarm", "s", "--agent", "bot-1").expectFailure(1, "counter")
    let replaced = try moai("swarms", "settings", "s", "-", "--json", input: Array("{}".utf8)).json()
    #expect(replaced["policies"] == [])
    try moai("state", "incr", "hits/a", "--swarm", "s").expectSuccess("2\n")
  }

  @Test("§6.4 trim lets go of the history and keeps the values; settings with a retention do it by themselves")
  func trimming() throws {
    for _ in 0..<5 { try moai("state", "incr", "n").expectSuccess() }
    try moai("swarms", "trim", "default").expectFailure(2, "cannot be undone; add --yes")
    #expect(try moai("swarms", "show", "default", "--json").json()["horizon"] == 0)
    try moai("swarms", "trim", "default", "--yes")
      .expectSuccess("the history of default up to revision 5 is gone, 5 entries\n")
    try moai("swarms", "trim", "default", "--yes").expectSuccess("default has no history before revision 5\n")
    try moai("state", "get", "n").expectSuccess("5\n")
    try moai("state", "get", "n", "--at", "4").expectFailure(1, "before the horizon 5")
    try moai("export").expectFailure(1, "make a backup")
    #expect(try moai("state", "changes", "--since", "2", "--json").json()["snapshot"] == true)
    try moai("state", "set", "n", "2", "--base", "3").expectFailure(1, "before the horizon 5")
    try moai("check").expectSuccess()
    let settings = Array(#"{"retention": {"history_entries": 3}}"#.utf8)
    try moai("swarms", "settings", "default", "-", input: settings).expectSuccess()
    for _ in 0..<12 { try moai("state", "incr", "n").expectSuccess() }
    let shown = try moai("swarms", "show", "default", "--json").json()
    #expect(shown["retention"] == ["history_entries": 3])
    guard case .int(let revision)? = shown["revision"], case .int(let horizon)? = shown["horizon"] else {
      Issue.record("\(shown)")
      return
    }
    #expect((3...12).contains(revision - horizon))
    try moai("state", "get", "n").expectSuccess("17\n")
    try moai("check").expectSuccess()
    try moai("swarms", "trim", "nobody", "--yes").expectFailure(1, "no swarm")
    try moai("swarms", "trim", "default", "--yes", "--data", folder.path + "/none").expectFailure(2, "does not exist")
  }

  @Test("settings that are refused make no folder, no swarm, and leave those in force")
  func refusedSettings() throws {
    let bad = Array(#"{"policies": [], "quorum": 5}"#.utf8)
    let text = "standard input: /quorum: not supported yet"
    try moai("swarms", "create", "s", "--settings", "-", input: bad).expectFailure(2, text)
    try moai("swarms", "list").expectFailure(2, "does not exist")
    try moai("state", "incr", "n").expectSuccess()
    let before = try content(in: folder)
    try moai("swarms", "create", "s", "--settings", "-", input: bad).expectFailure(2, text)
    try moai("swarms", "settings", "default", "-", input: bad).expectFailure(2, text)
    try moai("swarms", "settings", "default", "-", input: Array("{".utf8)).expectFailure(2, "line 1, column 2")
    #expect(try content(in: folder) == before)
  }
}
