import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("bad input: one line that names what is wrong, exit code 2 or 1, nothing changed")
struct BadInputTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess
  let before: [UInt8]

  init() async throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    // In this process: fifty tests begin with it.
    let store = try await SQLiteStore(folder: moai.folder)
    let swarm = try await Swarm.open(.default, in: store)
    try await swarm.join(as: "alice").state.perform([WriteRequest(try StateKey("k"), .value(1))])
    try await swarm.close()
    try await store.close()
    before = try content(in: folder)
  }

  static let refused: [(arguments: [String], status: Int32, text: String)] = [
    // §1.1 names
    (["state", "set", "", "1"], 2, "/state_key: the key is empty"),
    (["state", "get", ""], 2, "/state_key: the key is empty"),
    (["state", "set", "a\u{7}b", "1"], 2, "control character"),
    (["state", "set", "..", "1"], 2, "\"..\" is not allowed"),
    (["state", "set", String(repeating: "x", count: 513), "1"], 2, "513 bytes"),
    (["state", "set", "k", "2", "--agent", ""], 2, "--agent: the name is empty"),
    (["state", "set", "k", "2", "--agent", "operator"], 2, "--agent: \"operator\" is reserved"),
    (["state", "set", "k", "2", "--agent", "*"], 2, "reserved"),
    (["state", "set", "k", "2", "--agent", "a b"], 2, "--agent"),
    (["state", "get", "k", "--swarm", ""], 2, "--swarm: the name is empty"),
    (["state", "get", "k", "--swarm", "Big"], 2, "--swarm"),
    (["swarms", "create", "a/b"], 2, "NAME"),
    (["state", "get", "k", "--swarm", "unknown"], 1, "no swarm \"unknown\""),
    // §2.1 values
    (["state", "set", "k", "hello"], 2, "VALUE is no JSON: line 1, column 1"),
    (["state", "set", "k", "NaN"], 2, "VALUE is no JSON"),
    (["state", "set", "k", "Infinity"], 2, "VALUE is no JSON"),
    (["state", "set", "k", "1e999"], 2, "too large for a double"),
    (["state", "set", "k", "9223372036854775808"], 2, "outside the 64-bit range"),
    (["state", "set", "k", #"{"a": 1, "a": 2}"#], 2, "there twice"),
    (["state", "set", "k", #"{"a": {"b": [1, }}"#], 2, "/a/b"),
    (["state", "add", "s", #""\ud800""#], 2, "ELEMENT is no JSON"),
    (["state", "set", "k", String(repeating: "[", count: 100) + String(repeating: "]", count: 100)], 2, "deeper"),
    // §4.3, §5.3 the future
    (["state", "get", "k", "--at", "2"], 2, "revision 2 is in the future; the head is 1"),
    (["state", "set", "k", "2", "--base", "2"], 2, "future"),
    (["state", "set", "k", "2", "--if-revision", "2"], 2, "future"),
    (["state", "changes", "--since", "2"], 2, "future"),
    (["log", "--since", "2"], 2, "future"),
    (["state", "get", "k", "--at", "-1"], 2, "--at"),
    (["state", "get", "k", "--at", "99999999999999999999"], 2, "--at"),
    (["state", "changes", "--since", "yesterday"], 2, "--since"),
    // usage
    (["state", "frobnicate"], 2, "frobnicate"),
    (["state", "get"], 2, "<key>"),
    (["state", "incr", "n", "-3"], 2, "after --"),
    (["state", "incr", "n", "1", "--by", "2"], 2, "once"),
    (["state", "incr", "n", "many"], 2, "many"),
    (["state", "put", "m", "f"], 2, "--remove"),
    (["state", "set", "k", "1", "--type", "tree"], 2, "tree"),
    (["state", "list", "--limit", "0"], 2, "/limit"),
    (["state", "changes", "--limit", "-1"], 2, "--limit"),
    (["state", "changes", "--max-bytes", "0"], 2, "/max_bytes"),
    (["state", "watch", "--count", "0"], 2, "--count"),
    (["log", "--limit", "0"], 2, "--limit"),
    (["state", "get", "k", "--hub", "localhost:8420"], 2, "is no address"),
    (["state", "get", "k", "--hub", "http://localhost", "--data", "x"], 2, "--hub and --data name two places"),
    (["check", "--hub", "http://localhost"], 2, "works on a data folder"),
    (["history", "k"], 2, "history"),
    (["swarms", "delete", "default"], 2, "--yes"),
    (["swarms", "delete", "unknown", "--yes"], 1, "no swarm \"unknown\""),
    (["swarms", "create", "default"], 1, "exists already"),
    (["swarms", "show", "unknown"], 1, "no swarm \"unknown\""),
    (["swarms", "settings", "default", "/nowhere"], 2, "/nowhere: No such file"),
    (["import", "/nowhere", "--swarm", "s"], 2, "/nowhere: No such file"),
    (["export", "/nowhere/file"], 3, "/nowhere/file"),
  ]

  @Test("§1.1 §2.1 §4.3 §5.3 refused, and the file is byte for byte what it was", arguments: refused.indices)
  func refusedWithoutATrace(index: Int) throws {
    let (arguments, status, text) = Self.refused[index]
    try moai.run(arguments).expectFailure(status, text)
    #expect(try content(in: folder) == before)
  }

  @Test("§2.1 standard input is refused by its bytes")
  func refusedInput() throws {
    let deep = Array(String(repeating: "[", count: 5_000).utf8) + Array(String(repeating: "]", count: 5_000).utf8)
    try moai("state", "set", "k", "-", input: deep).expectFailure(2, "nested deeper than 128 levels")
    try moai("state", "set", "k", "-", input: [0x22, 0xFF, 0x22]).expectFailure(2, "invalid UTF-8")
    try moai("state", "set", "k", "-", "--string", input: [0xC3]).expectFailure(2, "standard input: invalid UTF-8")
    try moai("state", "set", "k", "-").expectFailure(2, "the text ends")
    try moai("state", "set", "k", "-", input: Array("1 2".utf8)).expectFailure(2, "something follows")
    let large = Array("\"".utf8) + [UInt8](repeating: 0x78, count: 512 * 1024) + Array("\"".utf8)
    try moai("state", "set", "k", "-", input: large).expectFailure(2, "/value: the value has 524290 bytes")
    #expect(try content(in: folder) == before)
  }

  @Test("§4.2 a counter that would leave 64 bits is refused and keeps its value")
  func counterOverflow() throws {
    try moai("state", "incr", "n", "9223372036854775807").expectSuccess()
    try moai("state", "incr", "n").expectFailure(1, "n: the counter would leave the 64-bit integers")
    try moai("state", "incr", "n", "9223372036854775808").expectFailure(2, "9223372036854775808")
    try moai("state", "get", "n").expectSuccess("9223372036854775807\n")
  }

  @Test("§4.1 a write of another type is refused and the value stays")
  func typeMismatch() throws {
    try moai("state", "incr", "k").expectFailure(1, "k: it holds a register, this writes a counter")
    try moai("state", "set", "s", "1", "--type", "set").expectFailure(2, "an array is expected")
    try moai("state", "get", "k").expectSuccess("1\n")
  }

  @Test("a write without an author, a command without a folder: the error says what to give")
  func missingTarget() throws {
    var bare = moai
    bare.environment["MOAI_FLOW_AGENT"] = ""
    try bare("state", "set", "k", "2").expectFailure(2, "--agent NAME or set MOAI_FLOW_AGENT")
    bare.environment["MOAI_FLOW_DATA"] = nil
    try bare("state", "get", "k").expectFailure(2, "give --data DIR or --hub URL")
    bare.environment["MOAI_FLOW_HUB"] = "http://localhost:1"
    try bare("state", "get", "k", "--data", moai.folder).expectSuccess("1\n")
    #expect(try content(in: folder) == before)
  }

  @Test("reading a folder that is not there makes none")
  func readingMakesNoFolder() throws {
    let nowhere = folder.path + "/nowhere"
    for command in [["state", "get", "k"], ["log"], ["check"], ["export"], ["swarms", "list"], ["state", "watch"]] {
      try moai.run(command + ["--data", nowhere]).expectFailure(2, "\(nowhere) does not exist")
    }
    #expect(throws: (any Error).self) { try folder.bytes("nowhere/swarms.sqlite") }
  }
}
