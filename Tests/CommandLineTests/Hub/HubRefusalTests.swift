import MoaiCRDT
import MoaiFlow
import Testing

@Suite("what a hub refuses", .serialized)
struct HubRefusalTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  @Test(
    "bad requests get a clear problem that names the field, and change nothing",
    arguments: [
      ("PUT", "state/k", #"{"value": 1"#, 400, "malformed", nil),
      ("PUT", "state/k", #"{"value": 1, "value": 2, "agent_id": "a"}"#, 400, "malformed", "/value"),
      ("PUT", "state/k", #"[]"#, 422, "invalid", nil),
      ("PUT", "state/k", #"{"value": 1}"#, 422, "invalid", "/agent_id"),
      ("PUT", "state/k", #"{"agent_id": "a"}"#, 422, "invalid", "/value"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a", "valeu": 2}"#, 422, "invalid", "/valeu"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a b"}"#, 422, "invalid", "/agent_id"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "coordinator"}"#, 422, "invalid", "/agent_id"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a", "crdt_type": "list"}"#, 422, "invalid", "/crdt_type"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a", "base": "yesterday"}"#, 422, "invalid", "/base"),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a", "base": 12}"#, 400, "future_revision", nil),
      ("PUT", "state/k", #"{"value": 1, "agent_id": "a", "lease": "t"}"#, 422, "invalid", "/lease"),
      ("PUT", "state/k", #"{"value": 1, "share": 1, "agent_id": "a"}"#, 422, "invalid", "/share"),
      ("POST", "state/k/ops", #"{"ops": [{"op": "plus"}], "agent_id": "a"}"#, 422, "invalid", "/ops/0/op"),
      ("POST", "state/k/ops", #"{"ops": [], "agent_id": "a"}"#, 422, "invalid", "/ops"),
      ("POST", "state/k/ops", #"{"ops": {}, "agent_id": "a"}"#, 422, "invalid", "/ops"),
      ("POST", "batch", #"{"writes": [], "agent_id": "a"}"#, 422, "invalid", "/writes"),
      ("GET", "state/k?att=1", nil, 422, "invalid", "/att"),
      ("GET", "state/k?at=-1", nil, 422, "invalid", "/at"),
      ("GET", "state?limit=0", nil, 422, "invalid", "/limit"),
      ("GET", "state?limit=1&limit=2", nil, 422, "invalid", "/limit"),
      ("GET", "state/%zz", nil, 400, "malformed", nil),
      ("GET", "state/%C3", nil, 400, "malformed", nil),
      ("GET", "state/a%00b", nil, 422, "invalid", "/state_key"),
      ("GET", "state//k", nil, 404, "not_found", nil),
      ("GET", "state/k/", nil, 404, "not_found", nil),
      ("GET", "/v1/swarms/Upper/state", nil, 422, "invalid", "/swarm"),
      ("GET", "/v1/swarms/other/state", nil, 404, "unknown_swarm", nil),
      ("GET", "/v2", nil, 404, "not_found", nil),
      ("DELETE", "state/k", nil, 422, "invalid", "/agent_id"),
      ("DELETE", "state/k?agent_id=a", #"{"agent_id": "b"}"#, 422, "invalid", nil),
      (
        "POST", "replicas/00000000000000aa/deltas", #"{"agent_id": "a", "deltas": [{"n": 1}]}"#, 422, "invalid",
        "/deltas/0/previous_hash"
      ),
    ] as [(String, String, String?, Int, String, String?)])
  func badRequest(
    method: String, path: String, body: String?, status: Int, code: String, field: String?
  ) throws {
    let answer = try hub(method, path, body)
    #expect(answer.status == status && answer.code == code && answer.field == field, "\(answer)")
    #expect(answer.headers["content-type"] == "application/problem+json")
    #expect(try answer.json()["status"] == .int(Int64(status)))
    #expect(try hub("GET", "state").json()["keys"] == [])
  }

  @Test("another method is 405 and told which there are; another type of body is 415")
  func methodsAndTypes() throws {
    let answer = try hub("PATCH", "state/k", "{}")
    #expect(answer.status == 405 && answer.headers["allow"] == "GET, PUT, DELETE, HEAD")
    let form = try hub("PUT", "state/k", "{}", headers: ["Content-Type": "application/x-www-form-urlencoded"])
    #expect(form.status == 415 && form.code == "unsupported_media_type")
    let charset = ["Content-Type": "application/json; charset=utf-8"]
    #expect(try hub("PUT", "state/k", #"{"value": 1, "agent_id": "a"}"#, headers: charset).status == 201)
  }

  @Test("a stream is what Accept asks for, in any case, unless its weight is zero; a wrong Last-Event-ID is named")
  func accepting() throws {
    for (accept, streams) in [
      ("text/event-stream;q=0, application/json", false), ("application/json", false), ("Text/Event-Stream", true),
      ("application/json, text/event-stream; q=0.5", true),
    ] {
      let answer = try hub("GET", "changes", headers: ["Accept": accept, "Last-Event-ID": "yesterday"])
      #expect(answer.field == (streams ? "/Last-Event-ID" : nil) && answer.status == (streams ? 422 : 200), "\(accept)")
    }
  }

  @Test("a body that is too long is 413, and the connection is only closed when it is far too long")
  func tooLong() throws {
    let long = #"{"agent_id": "a", "value": "\#(String(repeating: "x", count: 5 << 20))"}"#
    let answer = try hub("PUT", "state/k", long)
    #expect(answer.status == 413 && answer.code == "too_large")
    let value = #"{"agent_id": "a", "value": "\#(String(repeating: "x", count: 2 << 20))"}"#
    #expect(try hub("PUT", "state/k", value).field == "/value", "the limit of values, not of bodies")
    #expect(try hub("GET", "/healthz").status == 200)
  }

  @Test("a page of elsewhere reaches no hub: another Host, and another Origin, are refused")
  func webPages() throws {
    #expect(try hub("GET", "state", headers: ["Host": "evil.example"]).code == "wrong_host")
    #expect(try hub("GET", "state", headers: ["Origin": "http://evil.example"]).code == "wrong_origin")
    #expect(try hub("GET", "state", headers: ["Origin": "http://127.0.0.1:\(hub.port)"]).status == 200)
    #expect(try hub("GET", "state", headers: ["Host": "localhost:\(hub.port)"]).status == 200)
  }

  @Test("an address that others can reach is refused without tokens, and a folder that is in use")
  func startRefused() throws {
    let folder = try TemporaryFolder()
    var quiet = hub.moai
    quiet.environment["MOAI_FLOW_LOG_LEVEL"] = "critical"
    try quiet("serve", "--port", "0").expectFailure(3, "is in use")
    try quiet("serve", "--port", "0").expectFailure(3, "whose hub is at http://127.0.0.1:\(hub.port)")
    var other = MoaiFlowProcess(folder)
    other.environment["MOAI_FLOW_LOG_LEVEL"] = "critical"
    try other("serve", "--host", "0.0.0.0", "--port", "0").expectFailure(2, "no token was made")
    try other("serve", "--port", "\(hub.port)").expectFailure(3, "port \(hub.port)")
    try other("serve", "--port", "70000").expectFailure(2, "70000 is no port")
    let file = try folder.file("hub.json", Array(#"{"port": "many"}"#.utf8))
    try other("serve", "--config", file).expectFailure(2, "many is no port")
    try other("serve", "--config", try folder.file("typo.json", Array(#"{"prot": 1}"#.utf8)))
      .expectFailure(2, "there is no setting prot")
    other.environment["MOAI_FLOW_PORT"] = "x"
    try other("serve").expectFailure(2, "x is no port")
    other.environment["MOAI_FLOW_LOG_LEVEL"] = "loud"
    try other("serve", "--port", "0").expectFailure(2, "loud is no log level")
  }
}
