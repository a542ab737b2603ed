import MoaiCRDT
import MoaiFlow
import Testing

@Suite("state: writing and reading, with the exact JSON shapes")
struct StateWriteTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  static let readingFields = [
    "agent_id", "crdt_type", "cursor", "revision", "state_key", "strategy", "timestamp", "value", "version",
  ]

  @Test("§4.2 increments of any sign add up, and the answer is the new value")
  func incrementsAddUp() throws {
    try moai("state", "incr", "requests").expectSuccess("1\n")
    try moai("state", "incr", "requests", "3").expectSuccess("4\n")
    try moai("state", "incr", "requests", "--by", "-6").expectSuccess("-2\n")
    try moai("state", "incr", "requests", "--", "-3").expectSuccess("-5\n")
    try moai("state", "get", "requests").expectSuccess("-5\n")
  }

  @Test("a write answers the key as it is then, and overwrote")
  func writeAnswersTheNewVersion() throws {
    let json = try moai("state", "incr", "requests", "2", "--json").json()
    #expect(json.fieldNames == (Self.readingFields + ["overwrote"]).sorted())
    #expect(json["agent_id"] == "alice")
    #expect(json["crdt_type"] == "counter")
    #expect(json["value"] == 2)
    #expect(json["revision"] == 1)
    #expect(json["version"] == 1)
    #expect(json["overwrote"] == [])
  }

  @Test("get answers the reading, to the letter")
  func getAnswersTheReading() throws {
    try moai("state", "set", "config", #"{"b": [1, 1.0], "a": null}"#, "--type", "map")
    let json = try moai("state", "get", "config", "--json").json()
    #expect(json.fieldNames == Self.readingFields)
    #expect(json["value"] == ["a": .null, "b": [1, 1.0]])
    #expect(json["strategy"] == "lww")
    let cursor = try #require(json["cursor"]?.stringValue)
    #expect(Cursor(cursor)?.revision == 1)
    let time = try #require(json["timestamp"]?.stringValue)
    #expect(throws: Never.self) { try Timestamp(rfc3339: time) }
  }

  @Test("§6.1 get --at shows the value as it was at a revision or cursor")
  func getShowsThePast() throws {
    let first = try moai("state", "set", "k", "1", "--json").json()
    try moai("state", "set", "k", "2")
    try moai("state", "get", "k", "--at", "1").expectSuccess("1\n")
    try moai("state", "get", "k", "--at", try #require(first["cursor"]?.stringValue)).expectSuccess("1\n")
    try moai("state", "get", "k", "--at", "0").expectFailure(1, "there is no such key")
    try moai("state", "get", "k").expectSuccess("2\n")
  }

  @Test("§4.2 elements and fields come and go one by one")
  func elementsAndFields() throws {
    try moai("state", "add", "tasks", #""b""#)
    try moai("state", "add", "tasks", "a", "--string").expectSuccess("[\"a\", \"b\"]\n")
    try moai("state", "remove", "tasks", #""b""#).expectSuccess("[\"a\"]\n")
    try moai("state", "put", "config", "timeout", "30")
    try moai("state", "put", "config", "mode", "fast", "--string")
      .expectSuccess("{\"mode\": \"fast\", \"timeout\": 30}\n")
    try moai("state", "put", "config", "timeout", "--remove").expectSuccess("{\"mode\": \"fast\"}\n")
  }

  @Test("§4.2 a remove at a base keeps what was added after it")
  func removeAtABaseKeepsLaterAdds() throws {
    try moai("state", "add", "tasks", "1")
    try moai("state", "add", "tasks", "1")
    try moai("state", "remove", "tasks", "1", "--base", "1").expectSuccess("[1]\n")
    try moai("state", "remove", "tasks", "1").expectSuccess("[]\n")
  }

  @Test("§4.4 a stale whole value removes only what its writer had seen")
  func staleWholeValueKeepsWhatItHadNotSeen() throws {
    try moai("state", "set", "tasks", "[1, 2]", "--type", "set")
    try moai("state", "add", "tasks", "3")
    try moai("state", "set", "tasks", "[2, 4]", "--base", "1").expectSuccess("[2, 3, 4]\n")
    try moai("state", "set", "tasks", "[5]").expectSuccess("[2, 3, 4, 5]\n")
    try moai("state", "set", "tasks", "[5]", "--replace").expectSuccess("[5]\n")
  }

  @Test("§4.4 a whole value over a counter needs a base, or is a share")
  func wholeValueOverACounter() throws {
    try moai("state", "incr", "n", "10")
    try moai("state", "set", "n", "7").expectFailure(2, "/base")
    try moai("state", "incr", "n", "5")
    try moai("state", "set", "n", "12", "--base", "1").expectSuccess("17\n")
    try moai("state", "set", "n", "1", "--share").expectSuccess("1\n")
    try moai("state", "set", "n", "1.5", "--share").expectFailure(2, "a share is an integer")
  }

  @Test("§4.4 a write says whose newer write it replaced")
  func overwroteNamesTheLoser() throws {
    try moai("state", "set", "k", "1")
    try moai("state", "set", "k", "2", "--agent", "bob")
    let json = try moai("state", "set", "k", "3", "--base", "1", "--json").json()
    #expect(json["overwrote"] == [["agent_id": "bob", "revision": 2]])
  }

  @Test("§4.2 with the strategy vector concurrent writes are siblings")
  func vectorShowsSiblings() throws {
    try moai("state", "set", "k", "1", "--strategy", "vector")
    try moai("state", "set", "k", "2")
    try moai("state", "set", "k", "3", "--base", "1", "--agent", "bob")
    let json = try moai("state", "get", "k", "--json").json()
    #expect(json.fieldNames == (Self.readingFields + ["siblings"]).sorted())
    #expect(json["strategy"] == "vector")
    #expect(json["siblings"]?.arrayValue?.count == 1)
  }

  @Test("§4.5 a conditional write happens at its revision only")
  func conditionalWrites() throws {
    try moai("state", "set", "k", "1", "--if-revision", "0").expectSuccess("1\n")
    try moai("state", "set", "k", "2", "--if-revision", "0").expectFailure(1, "revision 1")
    try moai("state", "set", "k", "2", "--if-revision", "1").expectSuccess("2\n")
    try moai("state", "delete", "k", "--if-revision", "1").expectFailure(1, "the condition failed")
    try moai("state", "get", "k").expectSuccess("2\n")
  }

  @Test("§4.7 writing what is there changes nothing")
  func writingWhatIsThereChangesNothing() throws {
    try moai("state", "add", "tasks", "1")
    let again = try moai("state", "add", "tasks", "1", "--json").json()
    #expect(again["revision"] == 1)
    #expect(again["version"] == 1)
  }

  @Test("§4.8 delete answers revision and cursor, and the key is absent afterwards")
  func deleteAnswersTheRevision() throws {
    try moai("state", "set", "k", "1")
    let json = try moai("state", "delete", "k", "--json").json()
    #expect(json.fieldNames == ["cursor", "revision"])
    #expect(json["revision"] == 2)
    try moai("state", "get", "k").expectFailure(1, "k: there is no such key")
    try moai("state", "delete", "k").expectFailure(1, "k: there is no such key")
    try moai("state", "remove", "gone", "1", "--json").expectSuccess()
  }

  @Test("a value comes from standard input, or as a text as it stands")
  func valuesFromElsewhere() throws {
    try moai("state", "set", "k", "-", input: Array(#" {"a": 9007199254740993} "#.utf8))
      .expectSuccess("{\"a\": 9007199254740993}\n")
    try moai("state", "set", "t", "[1", "--string").expectSuccess("\"[1\"\n")
    try moai("state", "set", "t", "--", "-7").expectSuccess("-7\n")
  }

  @Test("§1.2 keys and elements that differ only in normalisation stay two")
  func normalisationDecidesNothing() throws {
    let composed = "caf\u{E9}"
    let decomposed = "cafe\u{301}"
    try moai("state", "set", composed, "1")
    try moai("state", "set", decomposed, "2")
    try moai("state", "get", composed).expectSuccess("1\n")
    try moai("state", "get", decomposed).expectSuccess("2\n")
    try moai("state", "add", "names", composed, "--string")
    let names = try moai("state", "add", "names", decomposed, "--string", "--json").json()
    #expect(names["value"] == [StateValue(decomposed), StateValue(composed)])
  }
}
