import MoaiCRDT
import MoaiFlow
import Testing

@Suite("shared state over HTTP", .serialized)
struct HubStateTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  @Test("a value is created with 201, read with its tag, changed by operations, deleted, and gone")
  func lifeOfAKey() throws {
    let created = try hub("PUT", "state/greeting", #"{"value": "hello", "agent_id": "alice"}"#)
    #expect(created.status == 201)
    #expect(try created.json()["value"] == "hello" && created.json()["version"] == 1)
    let read = try hub("GET", "state/greeting")
    #expect(read.status == 200 && read.headers["etag"] == created.headers["etag"])
    #expect(try read.json()["agent_id"] == "alice")
    let added = try hub(
      "POST", "state/tasks%2Ftodo/ops", #"{"ops": [{"op": "add", "element": "x"}], "agent_id": "bob"}"#)
    #expect(added.status == 201)
    #expect(try hub("GET", "state/tasks%2Ftodo").json()["value"] == ["x"])
    #expect(try hub("DELETE", "state/greeting?agent_id=bob").status == 200)
    #expect(try hub("GET", "state/greeting").code == "unknown_key")
    #expect(try hub("DELETE", "state/greeting?agent_id=bob").status == 404)
    let nothing = try hub("POST", "state/none/ops", #"{"agent_id": "a", "ops": [{"op": "remove", "element": 1}]}"#)
    #expect(nothing.status == 200)
    let fields = try nothing.json()
    #expect(fields["value"] == .null && fields["crdt_type"] == .null && fields["revision"] == 0)
  }

  @Test("§4.4 a write names what it had seen, and is told whom it overwrote")
  func overwrote() throws {
    let first = try hub("PUT", "state/r", #"{"value": 1, "agent_id": "alice"}"#).json()
    try hub("PUT", "state/r", #"{"value": 2, "agent_id": "bob"}"#)
    let base = try #require(first["cursor"]?.stringValue)
    let third = try hub("PUT", "state/r", #"{"value": 3, "agent_id": "alice", "base": "\#(base)"}"#)
    #expect(try third.json()["overwrote"]?.arrayValue?.first?["agent_id"] == "bob")
  }

  @Test("§4.5 a condition in the body, If-Match and If-None-Match mean the same; both and different are refused")
  func conditions() throws {
    let created = try hub("PUT", "state/k", #"{"value": 1, "agent_id": "a"}"#)
    let tag = try #require(created.headers["etag"])
    let again = try hub("PUT", "state/k", #"{"value": 2, "agent_id": "a"}"#, headers: ["If-None-Match": "*"])
    #expect(again.status == 412 && again.code == "condition_failed")
    #expect(try again.json()["current"] == 1)
    #expect(try hub("PUT", "state/k", #"{"value": 2, "agent_id": "a", "if_revision": 9}"#).code == "future_revision")
    #expect(try hub("PUT", "state/k", #"{"value": 2, "agent_id": "a"}"#, headers: ["If-Match": tag]).status == 200)
    #expect(try hub("PUT", "state/k", #"{"value": 3, "agent_id": "a"}"#, headers: ["If-Match": tag]).status == 412)
    let foreign = ["If-Match": "\"0123456789abcdef-1\""]
    #expect(try hub("PUT", "state/k", #"{"value": 3, "agent_id": "a"}"#, headers: foreign).status == 412)
    let both = try hub(
      "PUT", "state/k", #"{"value": 3, "agent_id": "a", "if_revision": 0}"#, headers: ["If-Match": tag])
    #expect(both.status == 400)
    #expect(try hub("PUT", "state/k", #"{"value": 3, "agent_id": "a"}"#, headers: ["If-Match": "x"]).status == 400)
    #expect(try hub("DELETE", "state/k?agent_id=a", headers: ["If-Match": tag]).status == 412)
    #expect(try hub("GET", "state/k").json()["value"] == 2)
  }

  @Test("a reader that has the newest tag is answered 304 without a body")
  func notModified() throws {
    let tag = try #require(try hub("PUT", "state/k", #"{"value": 1, "agent_id": "a"}"#).headers["etag"])
    let answer = try hub("GET", "state/k", headers: ["If-None-Match": "\"other\", W/\(tag)"])
    #expect(answer.status == 304 && answer.body.isEmpty && answer.headers["etag"] == tag)
    #expect(try hub("GET", "state/k", headers: ["If-None-Match": "\"other\""]).status == 200)
    #expect(try hub("HEAD", "state/k").body.isEmpty)
  }

  @Test("§10.1 a request that is repeated under its Idempotency-Key is done once, also after the hub was killed")
  func idempotency() throws {
    let body = #"{"ops": [{"op": "increment", "by": 3}], "agent_id": "alice"}"#
    let key = ["Idempotency-Key": "job-17"]
    let first = try hub("POST", "state/c/ops", body, headers: key)
    try hub("POST", "state/c/ops", body, headers: ["Idempotency-Key": "job-18"])
    let repeated = try hub("POST", "state/c/ops", body, headers: key)
    #expect(repeated.status == first.status)
    #expect(try repeated.json() == first.json(), "the first answer, not what is there now")
    try hub.killAndRestart()
    #expect(try hub("POST", "state/c/ops", body, headers: key).json() == first.json())
    #expect(try hub("GET", "state/c").json()["value"] == 6)
    let other = try hub("POST", "state/d/ops", body, headers: key)
    #expect(other.status == 422 && other.code == "idempotency_mismatch")
    #expect(try hub("GET", "state/d").status == 404)
    let bob = body.replacing("alice", with: "bob")
    #expect(try hub("POST", "state/c/ops", bob, headers: key).status == 200, "another agent's key is another key")
  }

  @Test("§4.5 a batch is one entry: all of it or nothing")
  func batch() throws {
    let done = try hub(
      "POST", "batch",
      #"""
      {"agent_id": "alice", "writes": [{"state_key": "a", "value": 1},
        {"state_key": "b", "ops": [{"op": "increment", "by": 2}]}, {"state_key": "c", "value": [1], "crdt_type": "set"}]}
      """#)
    #expect(done.status == 201)
    #expect(try done.json()["revision"] == 1 && done.json()["keys"]?.arrayValue?.count == 3)
    let refused = try hub(
      "POST", "batch",
      #"{"agent_id": "alice", "writes": [{"state_key": "a", "value": 9}, {"state_key": "b", "ops": [{"op": "add", "element": 1}]}]}"#
    )
    #expect(refused.status == 409 && refused.code == "type_mismatch")
    #expect(try refused.json()["state_key"] == "b")
    #expect(try hub("GET", "state/a").json()["value"] == 1)
    let bad = try hub(
      "POST", "batch", #"{"agent_id": "alice", "writes": [{"state_key": "a", "value": 9, "delete": true}]}"#)
    #expect(bad.status == 422 && bad.field == "/writes/0")
  }

  @Test("a short answer is sent in one piece")
  func onePiece() throws {
    try hub("PUT", "state/k", #"{"value": "v", "agent_id": "a"}"#)
    let connection = try HubConnection(port: hub.port)
    for _ in 0..<50 {
      try connection.send("GET /v1/swarms/default/state/k HTTP/1.1\r\nHost: 127.0.0.1:\(hub.port)\r\n\r\n")
      let piece = String(decoding: try connection.read(), as: UTF8.self)
      #expect(piece.hasPrefix("HTTP/1.1 200") && piece.hasSuffix("}\n"))
    }
  }

  @Test("keys are listed in pages, with values if asked for")
  func list() throws {
    for key in ["x%2F1", "x%2F2", "y"] { try hub("PUT", "state/\(key)", #"{"value": 1, "agent_id": "a"}"#) }
    let page = try hub("GET", "state?prefix=x/&limit=1").json()
    #expect(page["keys"]?.arrayValue?.map { $0["state_key"] } == ["x/1"] && page["next"] == "x/1")
    let rest = try hub("GET", "state?prefix=x%2F&after=x/1&include=value&limit=5000").json()
    #expect(rest["keys"]?.arrayValue?.map { $0["value"] } == [1] && rest["next"] == .null)
  }

  @Test("§6.1 §6.2 the past is read, explained and taken back")
  func past() throws {
    try hub("PUT", "state/k", #"{"value": 1, "agent_id": "alice"}"#)
    try hub("PUT", "state/k", #"{"value": 2, "agent_id": "bob"}"#)
    #expect(try hub("GET", "state/k?at=1").json()["value"] == 1)
    #expect(try hub("GET", "state/k?at=9").code == "future_revision")
    let history = try hub("GET", "state/k/history?limit=1").json()
    #expect(history["changes"]?.arrayValue?.first?["agent_id"] == "bob" && history["next"] == "2")
    #expect(try hub("GET", "state/k/explain").json()["revision"] == 2)
    #expect(try hub("GET", "state/none/explain").status == 404)
    let dry = try hub("POST", "rewind", #"{"agent_id": "bob", "since": 0, "dry_run": true}"#).json()
    #expect(dry["changes"]?.arrayValue?.count == 1)
    #expect(try hub("GET", "state/k").json()["value"] == 2)
    #expect(try hub("POST", "rewind", #"{"agent_id": "bob", "since": 0}"#).status == 200)
    #expect(try hub("GET", "state/k").json()["value"] == 1)
    #expect(try hub("POST", "rewind", #"{"agent_id": "bob"}"#).field == "/since")
  }

  @Test("§5.7 a read waits for a revision, as long as it says")
  func atLeast() throws {
    try hub("PUT", "state/k", #"{"value": 1, "agent_id": "a"}"#)
    #expect(try hub("GET", "state/k?at_least=1").status == 200)
    let late = try hub("GET", "state/k?at_least=2&wait_ms=50")
    #expect(late.status == 503 && late.code == "not_reached" && late.headers["retry-after"] == "1")
    #expect(try hub("GET", "state/k?wait_ms=50").field == "/wait_ms")
  }

  @Test("integers beyond 2^53 stay exact")
  func largeIntegers() throws {
    try hub("PUT", "state/n", #"{"value": 9007199254740993, "agent_id": "a"}"#)
    #expect(try hub("GET", "state/n").body.contains(#""value": 9007199254740993"#))
  }
}
