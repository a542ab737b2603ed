import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite
import Testing

@Suite("offline replicas on the command line")
struct ReplicasCommandTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  @Test("§5.6 replicas are listed; what was refused of them is shown with the reason, resolved, and a lost one closed")
  func lifeOfAReplica() async throws {
    try moai("state", "add", "k", #""x""#).expectSuccess()
    let store = try await SQLiteStore(folder: moai.folder)
    let swarm = try await Swarm.open(in: store)
    let replica = try await Replica.open(
      as: "erin", in: InMemoryReplicaStore(),
      sources: Replica.Sources(now: { 1_700_000_000_000 }, newID: { ReplicaID(0xAB) }))
    try await replica.increment("k", by: 2)
    try await replica.increment("c", by: 3)
    let report = try await replica.exchange(with: swarm)
    #expect(report.refused.count == 1)
    try await swarm.close()
    try await store.close()

    let line = try #require(try moai("replicas", "list").lines.first).split(separator: "\t")
    #expect(line.prefix(4) == ["00000000000000ab", "erin", "open", "4"])
    #expect(line.last == "1")
    let listed = try moai("replicas", "list", "--json").json()["replicas"]?.arrayValue?.first
    #expect(listed?["accepted_to"] == 4 && listed?["closed"] == false)
    let refused = try moai("replicas", "refused")
    #expect(refused.output.hasPrefix("00000000000000ab\t1\terin\tk: +2\tk: it holds a set, this writes a counter"))
    #expect(try moai("replicas", "refused", "--json").json()["refused"]?.arrayValue?.first?["code"] == "type_mismatch")
    #expect(try moai("log").output.contains("refused and kept"))
    try moai("replicas", "resolve", "00000000000000ab", "9", "--agent", "erin").expectFailure(
      1, "has no refused delta 9")
    try moai("replicas", "resolve", "00000000000000ab", "1", "--agent", "mallory").expectFailure(1, "belongs to erin")
    try moai("replicas", "resolve", "00000000000000ab", "1", "--agent", "erin")
      .expectSuccess("00000000000000ab #1 is resolved\n")
    try moai("replicas", "refused").expectSuccess("")
    try moai("replicas", "close", "00000000000000ab", "--agent", "erin").expectSuccess(
      "replica 00000000000000ab is closed\n")
    try moai("replicas", "close", "00000000000000cd").expectFailure(1, "is unknown")
    try moai("replicas", "close", "nonsense").expectFailure(2, "sixteen hexadecimal digits")
    #expect(try moai("replicas", "list").output.contains("\tclosed\t"))
    try moai("state", "get", "c").expectSuccess("3\n")
    try moai("check").expectSuccess()
  }
}
