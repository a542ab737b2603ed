import MoaiFlow
import Testing

@Suite("memory on the command line")
struct MemoryCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  @Test("stored by one process, retrieved, listed, counted, deleted and cleared by others")
  func lifeOfEntries() throws {
    try moai("memory", "store", "research", "question", #""why?""#).expectSuccess("")
    try moai("memory", "store", "research", "source/1", "-", input: Array(#"{"url": "a"}"#.utf8)).expectSuccess()
    let stored = try moai("memory", "store", "research", "source/2", "plain", "--string", "--json").json()
    #expect(
      stored.fieldNames == ["agent_id", "key", "logical", "namespace", "persistent", "revision", "timestamp", "value"]
        || stored.fieldNames == ["agent_id", "key", "namespace", "persistent", "revision", "timestamp", "value"])
    try moai("memory", "retrieve", "research", "question").expectSuccess("\"why?\"\n")
    try moai("state", "get", "memory/research/source/2").expectSuccess("\"plain\"\n")
    let page = try moai("memory", "list", "research", "source/*", "--limit", "1", "--json").json()
    #expect(page["entries"]?.arrayValue?.map { $0["key"] } == ["source/1"])
    #expect(page["next"] == "source/1")
    let rest = try moai("memory", "list", "research", "source/*", "--after", "source/1")
    #expect(rest.lines.map { $0.split(separator: "\t").first } == ["source/2"])
    try moai("memory", "stats").expectSuccess("research\t3\t24\n")
    try moai("memory", "delete", "research", "question").expectSuccess("")
    try moai("memory", "delete", "research", "question").expectFailure(1, "there is no such entry")
    try moai("memory", "retrieve", "research", "question").expectFailure(1, "there is no such entry")
    try moai("memory", "clear", "research").expectFailure(2, "add --yes")
    try moai("memory", "clear", "research", "--yes").expectSuccess("")
    try moai("memory", "list", "research").expectSuccess("")
  }

  @Test("names that are not allowed are named, and nothing is written")
  func badNames() throws {
    try moai("memory", "store", "a/b", "k", "1").expectFailure(2, "/namespace: a namespace holds no /")
    try moai("memory", "store", "n", "", "1").expectFailure(2, "/key: the key is empty")
    try moai("memory", "store", "n", "k", "1", "--agent", "*").expectFailure(2, "--agent")
    try moai("log").expectSuccess("")
  }
}
