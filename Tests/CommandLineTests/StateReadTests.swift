import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("state: listing, changes, watching")
struct StateReadTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("state", "incr", "b", "2").expectSuccess()
    try moai("state", "set", "a/x", #""text""#).expectSuccess()
    try moai("state", "add", "a/y", "1", "--agent", "bob").expectSuccess()
  }

  @Test("list gives keys in byte order, page by page")
  func listPages() throws {
    let page = try moai("state", "list", "--json", "--values", "--limit", "2").json()
    #expect(page.fieldNames == ["cursor", "keys", "next", "revision"])
    let keys = try #require(page["keys"]?.arrayValue)
    #expect(keys.map { $0["state_key"] } == ["a/x", "a/y"])
    #expect(
      keys[0].fieldNames == ["agent_id", "crdt_type", "revision", "state_key", "timestamp", "value", "version"])
    #expect(page["next"] == "a/y")
    #expect(page["revision"] == 3)
    let last = try moai("state", "list", "--json", "--after", "a/y").json()
    #expect(last["keys"]?.arrayValue?.map { $0["state_key"] } == ["b"])
    #expect(last["next"] == .some(.null))
  }

  @Test("in a pipe a listing is tab-separated, without heading or colour")
  func pipedListIsPlain() throws {
    let answer = try moai("state", "list", "a/", "--values")
    answer.expectSuccess()
    let rows = answer.lines.map { $0.split(separator: "\t").map(String.init) }
    #expect(rows.map { $0[0] } == ["a/x", "a/y"])
    #expect(rows.map { $0.last } == ["\"text\"", "[1]"])
    #expect(!answer.output.contains("\u{1B}"))
  }

  @Test("§5.3 changes gives each key once, deletions included, and where it got to")
  func changesSinceARevision() throws {
    try moai("state", "incr", "b", "3")
    try moai("state", "delete", "a/x")
    let page = try moai("state", "changes", "--since", "3", "--json").json()
    #expect(page.fieldNames == ["changes", "cursor", "head", "more", "revision", "snapshot"])
    let changes = try #require(page["changes"]?.arrayValue)
    #expect(changes.map { $0["state_key"] } == ["b", "a/x"])
    #expect(changes[0]["delta"] == ["ops": [["op": "increment", "by": 3]]])
    #expect(
      changes[0].fieldNames == ["agent_id", "crdt_type", "delta", "revision", "state_key", "timestamp"])
    #expect(changes[1]["deleted"] == true)
    #expect(changes[1]["delta"] == nil)
    #expect(page["snapshot"] == false)
    #expect(page["head"] == 5)
    let values = try moai("state", "changes", "--since", "3", "--as", "value", "--json").json()
    #expect(values["changes"]?.arrayValue?[0]["value"] == 5)
  }

  @Test("§5.3 a pass in pages has next on every page but the last, which has the cursor")
  func changesInPages() throws {
    var seen: [StateValue?] = []
    var since = "0"
    for _ in 0..<2 {
      let page = try moai("state", "changes", "--since", since, "--limit", "1", "--json").json()
      #expect(page.fieldNames == ["changes", "head", "more", "next", "snapshot"])
      seen += page["changes"]?.arrayValue?.map { $0["state_key"] } ?? []
      since = try #require(page["next"]?.stringValue)
    }
    let last = try moai("state", "changes", "--since", since, "--limit", "1", "--json").json()
    seen += last["changes"]?.arrayValue?.map { $0["state_key"] } ?? []
    #expect(seen == ["b", "a/x", "a/y"])
    #expect(last["more"] == false)
    #expect(last["revision"] == 3)
  }

  @Test("§5.3 since head is only what comes; a prefix and a byte budget narrow a page")
  func changesFiltered() throws {
    #expect(try moai("state", "changes", "--since", "head", "--json").json()["changes"] == [])
    let prefixed = try moai("state", "changes", "--prefix", "a/", "--json").json()
    #expect(prefixed["changes"]?.arrayValue?.count == 2)
    let small = try moai("state", "changes", "--max-bytes", "1", "--json").json()
    #expect(small["changes"]?.arrayValue?.count == 1)
    #expect(small["more"] == true)
  }

  @Test("§5.3 a cursor of another epoch is answered with a snapshot, a base of one is refused")
  func anotherEpoch() throws {
    let foreign = Cursor(epoch: Epoch(1), revision: 2).description
    let page = try moai("state", "changes", "--since", foreign, "--json").json()
    #expect(page["snapshot"] == true)
    #expect(page["changes"]?.arrayValue?.count == 3)
    let before = try moai("state", "list", "--values", "--json").output
    try moai("state", "remove", "a/y", "1", "--base", foreign).expectFailure(1, "another epoch")
    try moai("state", "get", "b", "--at", foreign).expectFailure(1, "another epoch")
    try moai("log", "--since", foreign).expectFailure(1, "another epoch")
    #expect(try moai("state", "list", "--values", "--json").output == before)
  }

  @Test("§5.4 watch gives what is there, then a message for each entry, while others write")
  func watchFollows() throws {
    let watch = try moai.start("state", "watch", "--count", "3", "--json")
    let first = try JSONParser().parse(try watch.nextLine())
    #expect(first["changes"]?.arrayValue?.count == 3)
    #expect(first["revision"] == 3)
    try moai("state", "incr", "b", "1").expectSuccess()
    let second = try JSONParser().parse(try watch.nextLine())
    #expect(second.fieldNames == ["agent_id", "changes", "cursor", "revision", "timestamp"])
    #expect(second["changes"]?.arrayValue?[0]["delta"] == ["ops": [["op": "increment", "by": 1]]])
    try moai("state", "set", "c", "0", "--agent", "bob").expectSuccess()
    let third = try JSONParser().parse(try watch.nextLine())
    #expect(third["agent_id"] == "bob")
    #expect(third["revision"] == 5)
    #expect(watch.waitForEnd() == 0)
  }

  @Test("an interrupt ends watch and log --follow cleanly", arguments: [["state", "watch"], ["log", "--follow"]])
  func interruptIsACleanEnd(command: [String]) throws {
    let watch = try moai.start(command)
    #expect(try !watch.nextLine().isEmpty)
    watch.process.interrupt()
    #expect(watch.waitForEnd() == 0)
  }

  @Test("§5.1 with nobody to ask a full sync succeeds at once with the journal's value")
  func syncOnAFolder() throws {
    let report = try moai("state", "sync", "b", "--json").json()
    #expect(
      report.fieldNames == [
        "asked", "conflicts", "contributions", "discarded", "duration_ms", "missing", "quorum", "responders", "result",
        "revision", "state_key",
      ])
    #expect(report["asked"] == 0)
    #expect(report["result"]?["value"] == 2)
    #expect(try moai("state", "sync", "absent", "--json").json()["result"] == .some(.null))
  }
}
