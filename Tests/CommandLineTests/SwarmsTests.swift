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
        "checkpoint", "cursor", "epoch", "horizon", "keys", "limits", "policies", "revision", "swarm",
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

  @Test("settings that are refused make no folder, no swarm, and leave those in force")
  func refusedSettings() throws {
    let bad = Array(#"{"policies": [{"pattern": "a", "max": 5}]}"#.utf8)
    let text = "standard input: /policies/0/max: not supported yet"
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
