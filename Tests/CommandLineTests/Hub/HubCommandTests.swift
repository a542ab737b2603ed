import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("the command line on a hub", .serialized)
struct HubCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess
  let hub: HubProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    hub = try HubProcess(moai)
  }

  /// The same program with nothing but the hub named.
  private var remote: MoaiFlowProcess {
    var remote = moai
    remote.environment["MOAI_FLOW_DATA"] = nil
    remote.environment["MOAI_FLOW_HUB"] = "http://127.0.0.1:\(hub.port)"
    return remote
  }

  @Test("state and memory, written and read through a hub, look as they do in a folder")
  func state() throws {
    try remote("state", "incr", "c", "3").expectSuccess("3\n")
    try remote("state", "add", "s", "1", "--agent", "bob").expectSuccess("[1]\n")
    try remote("state", "put", "m", "f", #"{"x": 1}"#).expectSuccess("{\"f\": {\"x\": 1}}\n")
    try remote("state", "set", "r", "2", "--if-revision", "1").expectFailure(1, "condition failed")
    try remote("state", "incr", "r", "--hub", "http://127.0.0.1:\(hub.port)").expectSuccess("1\n")
    try remote("state", "get", "none").expectFailure(1, "none: there is no such key")
    try remote("state", "get", "c", "--at-least", "999", "--wait-ms", "20").expectFailure(1, "not reached")
    try remote("memory", "store", "notes", "a", "1").expectSuccess("")
    try remote("memory", "retrieve", "notes", "a").expectSuccess("1\n")
    try remote("state", "rewind", "--agent", "bob", "--since", "0").expectSuccess()
    // A folder whose hub lives is read and written through that hub.
    try moai("state", "incr", "c", "4").expectSuccess("7\n")
    let reads = [
      ["state", "list", "--values", "--json"], ["state", "history", "c"], ["state", "explain", "m", "--json"],
      ["state", "changes", "--json"], ["swarms", "show", "default"], ["swarms", "list"], ["log"],
      ["memory", "list", "notes"],
    ]
    let answers = try reads.map { try remote.run($0) }
    for answer in answers { #expect(answer.status == 0 && !answer.output.isEmpty, "\(answer)") }
    #expect(hub.terminate() == 0)
    for (read, answer) in zip(reads, answers) where read.first != "swarms" {
      #expect(try moai.run(read).output == answer.output, "\(read)")
    }
  }

  @Test("swarms, log, backup and tokens through a hub")
  func operations() throws {
    try remote("swarms", "create", "lab").expectSuccess()
    try remote("swarms", "create", "lab").expectFailure(1, "exists already")
    try remote("swarms", "settings", "lab", try folder.file("s.json", Array(#"{"policies": []}"#.utf8))).expectSuccess()
    try remote("swarms", "delete", "lab", "--yes").expectSuccess()
    try remote("state", "get", "c", "--swarm", "lab").expectFailure(1, "no swarm \"lab\"")
    let follow = try remote.start(["log", "--follow", "--limit", "2"])
    try remote("state", "incr", "c").expectSuccess("1\n")
    #expect(try follow.nextLine().contains("c: +1"))
    try remote("state", "incr", "c").expectSuccess("2\n")
    #expect(try follow.nextLine().hasSuffix("c: +1\tapplied"))
    #expect(follow.waitForEnd() == 0)
    let file = folder.path + "/copy.sqlite"
    try remote("backup", file).expectSuccess("")
    try remote("backup", file).expectFailure(2, "is there already")
    var restored = moai
    restored.environment["MOAI_FLOW_DATA"] = folder.path + "/restored"
    try restored("restore", file).expectSuccess()
    try restored("state", "get", "c").expectSuccess("2\n")
    try remote("token", "create", "--role", "admin").expectFailure(3, "the first is made by its operator")
    let admin = try #require(try moai("token", "create", "--role", "admin").lines.first)
    while try hub("GET", "state").status == 200 {}
    try remote("state", "get", "c").expectFailure(1, "needs a token")
    var known = remote
    known.environment["MOAI_FLOW_TOKEN"] = admin
    try known("state", "get", "c").expectSuccess("2\n")
    let agent = try #require(try known("token", "create", "--role", "agent", "--as", "w-*").lines.first)
    try remote("state", "incr", "c", "--agent", "w-1", "--token", agent).expectSuccess("3\n")
    try remote("state", "incr", "c", "--token", agent).expectFailure(1, "may not write as alice")
    try remote("log", "--token", agent).expectFailure(1, "may not do this")
    #expect(try known("token", "list").lines.count == 2)
    let id = try #require(agent.split(separator: "_").dropFirst().first)
    try known("token", "revoke", "\(id)").expectSuccess("revoked \(id)\n")
    try known("token", "revoke", "\(id)").expectFailure(1, "there is no token")
    try moai("check").expectSuccess()
  }

  @Test("a hub that was killed leaves its address behind: the folder is used, and never another hub at that address")
  func stale() throws {
    try remote("state", "incr", "c").expectSuccess("1\n")
    let file = try folder.bytes("data/hub.json")
    #expect(hub.terminate() == 0)
    #expect(throws: (any Error).self) { try folder.bytes("data/hub.json") }
    // As it is after SIGKILL, and with another folder's hub at that address.
    let other = MoaiFlowProcess(try TemporaryFolder())
    let running = try other.start(["serve", "--port", "\(hub.port)"])
    #expect(try running.nextLine() == "listening on http://127.0.0.1:\(hub.port)")
    try Data(file).write(to: URL(fileURLWithPath: moai.folder + "/hub.json"))
    try moai("state", "incr", "c").expectSuccess("2\n")
    try other("state", "get", "c").expectFailure(1, "no such key")
    running.process.terminate()
    #expect(running.waitForEnd() == 0)
    try moai("state", "get", "c").expectSuccess("2\n")
  }
}
