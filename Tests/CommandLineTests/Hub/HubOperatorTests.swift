import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("what an operator asks of a hub", .serialized)
struct HubOperatorTests {
  let folder: TemporaryFolder
  let moai: MoaiFlowProcess

  init() throws {
    folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
  }

  @Test("metrics count requests by route and say how each swarm stands")
  func metrics() throws {
    let hub = try HubProcess(moai)
    try hub("PUT", "state/secret-key", #"{"value": 1, "agent_id": "a"}"#)
    try hub("GET", "state/secret-key")
    try hub("GET", "state/secret-key")
    let answer = try hub("GET", "/metrics")
    #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    let lines = answer.body.split(separator: "\n").map(String.init)
    let route =
      #"http_route="/v1/swarms/{swarm}/state/{state_key}",http_request_method="GET",http_response_status_code="200""#
    #expect(lines.contains("hb_requests_total{\(route)} 2"), "\(answer.body)")
    #expect(lines.contains("http_server_request_duration_seconds_count{\(route)} 2"))
    #expect(lines.contains(#"moai_flow_swarm_revision{swarm="default"} 1"#))
    #expect(lines.contains(#"moai_flow_swarm_keys{swarm="default"} 1"#))
    #expect(lines.contains("# TYPE hb_requests_total counter"))
    #expect(!answer.body.contains("secret-key"))
    // Every line is a comment, or a name, perhaps labels, and a number.
    for line in lines where !line.hasPrefix("#") {
      #expect(line.wholeMatch(of: /[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eInf]+/) != nil, "\(line)")
    }
  }

  @Test("a request has an id: the sender's if that can stand in a log, else a new one")
  func requestID() throws {
    let hub = try HubProcess(moai)
    #expect(try hub("GET", "/healthz", headers: ["X-Request-Id": "abc-1.2_3"]).headers["x-request-id"] == "abc-1.2_3")
    for id in ["a b", "a\"b", String(repeating: "x", count: 65)] {
      let given = try hub("GET", "/healthz", headers: ["X-Request-Id": id]).headers["x-request-id"]
      #expect(given != id && given?.isEmpty == false)
    }
    #expect(try hub("GET", "/nowhere").headers["x-request-id"] != nil)
  }

  @Test("the log has every entry with what it did, in pages and as a stream that goes on from its last id")
  func log() throws {
    let hub = try HubProcess(moai)
    for number in 1...5 { try hub("PUT", "state/k", #"{"value": \#(number), "agent_id": "a"}"#) }
    try hub("PUT", "state/k", #"{"value": 6, "agent_id": "a", "if_revision": 5}"#)
    let page = try hub("GET", "log?limit=4").json()
    #expect(page["entries"]?.arrayValue?.map { $0["revision"] } == [1, 2, 3, 4])
    #expect(page["entries"]?.arrayValue?.first?["summary"]?.stringValue?.hasPrefix("k: whole register") == true)
    let next = try #require(page["next"]?.stringValue)
    let rest = try hub("GET", "log?since=\(next)").json()
    #expect(rest["entries"]?.arrayValue?.map { $0["revision"] } == [5, 6] && rest["next"] == .null)
    #expect(try hub("GET", "log?since=99").code == "future_revision")
    #expect(try hub("GET", "log?since=0123456789abcdef-1").code == "trimmed")
    let stream = try hub.stream("log?since=4")
    let events = [try stream.next(), try stream.next()]
    #expect(try events.map { try $0?.json()["revision"] } == [5, 6])
    // What is refused is an entry, too, and changes nothing.
    try hub("POST", "state/k/ops", #"{"ops": [{"op": "increment", "by": 1}], "agent_id": "a"}"#)
    let refused = try #require(try stream.next()).json()
    #expect(
      refused["outcome"]?["result"] == "refused" && refused["became"]?.stringValue?.hasPrefix("refused: k") == true)
    let resumed = try hub.stream("log", headers: ["Last-Event-ID": try #require(events[1]?.id)])
    #expect(try resumed.next()?.json()["revision"] == 7)
    #expect(hub.terminate() == 0)
    #expect(try stream.next() == .init(name: "end", data: #"{"reason": "shutdown"}"#))
  }

  @Test("a backup is a file that restores, while agents write; nothing stays beside the data")
  func backup() throws {
    let hub = try HubProcess(moai)
    try hub("PUT", "state/k", #"{"value": "kept", "agent_id": "a"}"#)
    let file = folder.path + "/copy.sqlite"
    try moai("backup", file).expectSuccess("")
    var restored = moai
    restored.environment["MOAI_FLOW_DATA"] = folder.path + "/restored"
    try restored("restore", file).expectSuccess()
    try restored("state", "get", "k").expectSuccess("\"kept\"\n")
    let left = try FileManager.default.contentsOfDirectory(atPath: moai.folder).filter { $0.hasPrefix("hub-backup") }
    #expect(left == [])
  }

  @Test("a damaged entry stops its swarm only, is named, and is skipped without stopping the hub")
  func skip() throws {
    let marker = Array("marker-that-stands-nowhere-else".utf8)
    for value in ["1", "\"\(String(decoding: marker, as: UTF8.self))\"", "3"] {
      try moai("state", "set", "k", value, "--type", "register").expectSuccess()
    }
    try moai("swarms", "create", "lab").expectSuccess()
    var bytes = try database(in: folder)
    for start in 0...(bytes.count - marker.count) where bytes[start..<start + marker.count].elementsEqual(marker) {
      bytes[start + 3] ^= 1
    }
    try Data(bytes).write(to: URL(fileURLWithPath: moai.folder + "/swarms.sqlite"))
    let hub = try HubProcess(moai)
    let streams = [try hub.stream("changes?since=head"), try hub.stream("agents/alice/events")]
    #expect(try hub("PUT", "/v1/swarms/lab/state/k", #"{"value": 1, "agent_id": "a"}"#).status == 201)
    // The checkpoint behind the entry has what it did, so the swarm opens; its history does not.
    #expect(try hub("GET", "state/k/history").status == 500)
    let dry = try hub("POST", "skip", #"{"revision": 2, "dry_run": true}"#).json()
    #expect(dry["skipped"] == false && dry["problem"] != nil)
    #expect(try hub("POST", "skip", #"{"revision": 2}"#).field == "/reason")
    #expect(try hub("POST", "skip", #"{"revision": 1, "reason": "x"}"#).code == "not_damaged")
    #expect(try hub("POST", "skip", #"{"revision": 2, "reason": "torn"}"#).json()["skipped"] == true)
    // Whoever watched comes back: the swarm was not deleted.
    for stream in streams { #expect(try stream.next() == .init(name: "end", data: #"{"reason": "shutdown"}"#)) }
    #expect(try hub("GET", "state/k").json()["value"] == 3)
    #expect(try hub("GET", "state/k/history").status == 200)
    #expect(try hub("PUT", "state/k", #"{"value": 4, "agent_id": "a"}"#).status == 200)
    #expect(hub.terminate() == 0)
    try moai("check").expectSuccess()
  }

  @Test("a swarm that cannot be opened is not read again for each request; others are served")
  func unreadable() throws {
    let marker = Array("marker-that-stands-nowhere-else".utf8)
    try moai("state", "set", "k", "\"\(String(decoding: marker, as: UTF8.self))\"").expectSuccess()
    try moai("swarms", "create", "lab").expectSuccess()
    var bytes = try database(in: folder)
    for start in 0...(bytes.count - marker.count) where bytes[start..<start + marker.count].elementsEqual(marker) {
      bytes[start + 3] ^= 1
    }
    try Data(bytes).write(to: URL(fileURLWithPath: moai.folder + "/swarms.sqlite"))
    let log = folder.path + "/log"
    FileManager.default.createFile(atPath: log, contents: nil)
    let hub = try HubProcess(moai, errors: try #require(FileHandle(forWritingAtPath: log)))
    for _ in 0..<20 {
      let answer = try hub("GET", "state/k")
      #expect(answer.status == 503 && answer.code == "engine_failed")
    }
    #expect(try hub("GET", "/readyz").json()["failed"] == ["default"])
    #expect(try hub("PUT", "/v1/swarms/lab/state/k", #"{"value": 1, "agent_id": "a"}"#).status == 201)
    #expect(hub.terminate() == 0)
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    // A slow machine may have needed more than the pause.
    #expect(1...4 ~= lines.count { $0.contains("a swarm does not open") }, "\(lines)")
  }

  @Test("§4.6 §5.6 a replica in any language reserves, sends and is closed with JSON alone")
  func replicaByHand() throws {
    let hub = try HubProcess(moai)
    let settings = #"{"policies": [{"pattern": "budget", "crdt_type": "counter", "min": 0}]}"#
    #expect(try hub("PUT", "/v1/swarms/default", settings).status == 200)
    try hub("POST", "state/budget/ops", #"{"agent_id": "boss", "ops": [{"op": "increment", "by": 10}]}"#)
    let replica = "00000000000000aa"
    let delta = #"""
      {"n": 1, "previous_hash": "0000000000000000", "timestamp": "2026-01-01T00:00:00.000Z",
       "ops": [{"state_key": "s", "ops": [{"op": "add", "element": "x"}]}]}
      """#
    let sent = try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": [\#(delta)]}"#).json()
    #expect(sent["accepted_to"] == 2 && sent["refused"] == [])
    // The same delta again is the same command.
    let again = try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": [\#(delta)]}"#).json()
    #expect(again["outcomes"]?.arrayValue?.first?["repeated"] == true)
    #expect(try hub("GET", "state/s").json()["value"] == ["x"])
    let right = #"{"replica": "\#(replica)", "amount": 4, "agent_id": "alice"}"#
    #expect(try hub("POST", "state/budget/rights", right).json()["reserved"] == ["down": 4, "up": 0])
    let spend = #"{"agent_id": "boss", "ops": [{"op": "increment", "by": -7}]}"#
    #expect(try hub("POST", "state/budget/ops", spend).code == "bound_exceeded", "4 of 10 are reserved")
    let status = try hub("GET", "replicas/\(replica)").json()
    #expect(status["accepted_to"] == 2 && status["rights"] == ["budget": ["down": 4, "up": 0]])
    let gap = delta.replacing("\"n\": 1", with: "\"n\": 9")
    let refused = try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": [\#(gap)]}"#)
    #expect(refused.status == 409 && refused.code == "out_of_order")
    #expect(try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": []}"#).field == "/deltas")
    // A base may be a plain number of the present epoch.
    let revision = try #require(try hub("GET", "/v1/swarms/default").json()["revision"]?.intValue)
    let hash = try #require(status["hash"]?.stringValue)
    let second = #"""
      {"n": 3, "base": \#(revision), "previous_hash": "\#(hash)", "timestamp": "2026-01-01T00:00:01.000Z",
       "ops": [{"state_key": "s", "ops": [{"op": "remove", "element": "x"}]}]}
      """#
    let follows = try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": [\#(second)]}"#)
    #expect(try follows.json()["accepted_to"] == 4)
    #expect(try hub("GET", "state/s").json()["value"] == [])
    // One number too few: the key took one, and its operation another.
    let miscounted = second.replacing("\"n\": 3", with: "\"n\": 4")
    let wrong = try hub("POST", "replicas/\(replica)/deltas", #"{"agent_id": "alice", "deltas": [\#(miscounted)]}"#)
    #expect(wrong.code == "replica_forked" && wrong.body.contains("takes a number for each key"), "\(wrong.body)")
    #expect(try hub("DELETE", "replicas/\(replica)").json()["closed"] == true)
    #expect(try hub("POST", "state/budget/ops", spend).status == 200, "what it reserved is free again")
    #expect(try hub("GET", "replicas/00000000000000bb").code == "unknown_replica")
  }
}
