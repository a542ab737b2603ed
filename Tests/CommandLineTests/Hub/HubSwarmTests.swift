import MoaiCRDT
import MoaiFlow
import Testing

@Suite("swarms, memory and replicas over HTTP", .serialized)
struct HubSwarmTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  @Test("a swarm is made by PUT, never by a write, has settings that are replaced, and is deleted with its history")
  func swarms() throws {
    #expect(try hub("GET", "/v1/swarms").json()["swarms"]?.arrayValue?.map { $0["swarm"] } == ["default"])
    let made = try hub("PUT", "/v1/swarms/lab", #"{"policies": [{"pattern": "hits/*", "crdt_type": "counter"}]}"#)
    #expect(made.status == 201)
    #expect(try made.json()["policies"]?.arrayValue?.count == 1)
    #expect(try hub("PUT", "/v1/swarms/lab").status == 200, "nothing given, nothing replaced")
    #expect(try hub("GET", "/v1/swarms/lab").json()["policies"]?.arrayValue?.count == 1)
    #expect(try hub("PUT", "/v1/swarms/bad", #"{"policy": []}"#).field == "/policy")
    #expect(try hub("GET", "/v1/swarms/bad").status == 404, "settings that cannot be read make no swarm")
    #expect(
      try hub("PUT", "/v1/swarms/lab/state/hits%2F1", #"{"value": "x", "agent_id": "a"}"#).code == "invalid")
    #expect(try hub("DELETE", "/v1/swarms/lab").status == 200)
    #expect(try hub("GET", "/v1/swarms/lab").code == "unknown_swarm")
    #expect(try hub("GET", "/v1/swarms?limit=1").json()["next"] == .null)
  }

  @Test("§6.4 a hub's retention is that of every swarm whose settings keep all history")
  func retention() throws {
    let moai = MoaiFlowProcess(try TemporaryFolder())
    try moai("swarms", "create", "old").expectSuccess()
    let hub = try HubProcess(moai, ["--engine", "sqlite", "--retention", "36h"])
    #expect(try hub("GET", "/v1/swarms/old").json()["retention"]?["history_ms"] == 129_600_000)
    try hub("PUT", "/v1/swarms/new")
    #expect(try hub("GET", "/v1/swarms/new").json()["retention"]?["history_ms"] == 129_600_000)
    let replaced = try hub("PUT", "/v1/swarms/new", #"{"limits": {"siblings": 3}}"#).json()
    #expect(replaced["retention"]?["history_ms"] == 129_600_000 && replaced["limits"]?["siblings"] == 3)
    let own = try hub("PUT", "/v1/swarms/new", #"{"retention": {"history_entries": 7}}"#).json()
    #expect(own["retention"] == ["history_entries": 7])
    try hub.killAndRestart()
    #expect(try hub("GET", "/v1/swarms/old").json()["retention"]?["history_ms"] == 129_600_000)
    for wrong in ["30", "d", "0d", "1w", "9999999999999999d"] {
      try moai("serve", "--retention", wrong).expectFailure(2, "is no retention")
    }
    try moai("serve", "--engine", "nats://localhost").expectFailure(2, "is no engine of this version")
  }

  @Test("a condition that a route does not heed is refused, and nothing is done")
  func unheededConditions() throws {
    try hub("PUT", "memory/notes/k", #"{"value": 1, "agent_id": "a"}"#)
    for header in ["If-Match", "If-None-Match"] {
      let answer = try hub("PUT", "memory/notes/k", #"{"value": 2, "agent_id": "a"}"#, headers: [header: "*"])
      #expect(answer.status == 400 && answer.code == "malformed")
      #expect(try hub("PUT", "/v1/swarms/default", "{}", headers: [header: "*"]).status == 400)
    }
    #expect(try hub("GET", "memory/notes/k").json()["value"] == 1)
  }

  @Test("a list takes any limit, however large, as 1,000; a history's next is a text that leads on")
  func lists() throws {
    for value in 1...3 { try hub("PUT", "state/k", #"{"value": \#(value), "agent_id": "a"}"#) }
    #expect(try hub("GET", "state?limit=99999999999999999999999999").status == 200)
    let page = try hub("GET", "state/k/history?limit=1").json()
    #expect(page["revision"] == 3 && page["next"] == "3")
    let rest = try hub("GET", "state/k/history?before=\(page["next"]?.stringValue ?? "")").json()
    #expect(rest["changes"]?.arrayValue?.count == 2 && rest["next"] == .null)
    let batch = #"{"agent_id": "a", "writes": [{"state_key": "k", "value": 4}, {"state_key": "new", "value": 1}]}"#
    #expect(try hub("POST", "batch", batch).status == 201)
    #expect(try hub("POST", "batch", batch).status == 200)
  }

  @Test("a swarm that is made under an Idempotency-Key is made once, and its repeat is told the same")
  func madeOnce() throws {
    let key = ["Idempotency-Key": "c1"]
    #expect(try hub("PUT", "/v1/swarms/lab", "{}", headers: key).status == 201)
    #expect(try hub("PUT", "/v1/swarms/lab", "{}", headers: key).status == 201)
    #expect(try hub("PUT", "/v1/swarms/lab", "{}").status == 200)
  }

  @Test("a deletion that is repeated under its Idempotency-Key leaves the swarm alone that has the name now")
  func deletedOnce() throws {
    try hub("PUT", "/v1/swarms/lab")
    let once = ["Idempotency-Key": "d1"]
    #expect(try hub("DELETE", "/v1/swarms/lab", headers: once).json()["deleted"] == true)
    #expect(try hub("DELETE", "/v1/swarms/lab", headers: once).json()["deleted"] == true)
    try hub("PUT", "/v1/swarms/lab")
    #expect(try hub("DELETE", "/v1/swarms/lab", headers: once).json()["deleted"] == true)
    #expect(try hub("GET", "/v1/swarms/lab").status == 200)
    #expect(try hub("DELETE", "/v1/swarms/lab", headers: ["Idempotency-Key": "d2"]).status == 200)
    #expect(try hub("GET", "/v1/swarms/lab").status == 404)
  }

  @Test("memory is stored, listed, kept out of the journal if asked, and deleted")
  func memory() throws {
    let stored = #"{"value": {"x": 1}, "agent_id": "alice"}"#
    #expect(try hub("PUT", "memory/notes/a", stored, headers: ["Idempotency-Key": "m1"]).status == 201)
    #expect(try hub("PUT", "memory/notes/a", #"{"value": {"x": 2}, "agent_id": "alice"}"#).status == 200)
    // The first answer, and nothing done.
    let repeated = try hub("PUT", "memory/notes/a", stored, headers: ["Idempotency-Key": "m1"])
    #expect(repeated.status == 201)
    #expect(try repeated.json()["value"] == ["x": 1])
    #expect(try hub("GET", "memory/notes/a").json()["value"] == ["x": 2])
    try hub("PUT", "memory/notes/a", stored)
    #expect(try hub("PUT", "memory/notes/b?persistent=false", #"{"value": 2, "agent_id": "alice"}"#).status == 201)
    #expect(try hub("PUT", "memory/notes/b?persistent=false", #"{"value": 2, "agent_id": "alice"}"#).status == 200)
    #expect(try hub("GET", "memory/notes").json()["revision"] == 3)
    #expect(try hub("GET", "memory").json()["revision"] == 3)
    #expect(try hub("GET", "memory/notes/a").json()["value"] == ["x": 1])
    #expect(try hub("GET", "memory/notes?pattern=*").json()["entries"]?.arrayValue?.count == 2)
    #expect(try hub("GET", "memory").json()["namespaces"]?.arrayValue?.first?["volatile_entries"] == 1)
    try hub.killAndRestart()
    #expect(try hub("GET", "memory/notes/b").status == 404)
    #expect(try hub("DELETE", "memory/notes/a?agent_id=alice").status == 200)
    #expect(try hub("DELETE", "memory/notes/a?agent_id=alice").status == 404)
    #expect(try hub("DELETE", "memory/notes?agent_id=alice").json()["deleted"] == 0)
  }

  @Test("the process says that it lives, when it is ready, and what it can do")
  func system() throws {
    #expect(try hub("GET", "/healthz").json()["status"] == "ok")
    // Journals are replayed after the hub listens; it says so until then.
    var ready = try hub("GET", "/readyz")
    while ready.status == 503 { ready = try hub("GET", "/readyz") }
    #expect(try ready.json()["swarms"]?.arrayValue?.first?["swarm"] == "default")
    let document = try hub("GET", "/openapi.json").json()
    #expect(document["openapi"] == "3.1.0")
    let codes = document["components"]?["schemas"]?["Problem"]?["properties"]?["code"]?["enum"]?.arrayValue ?? []
    for code in ["type_mismatch", "trimmed", "bound_exceeded", "replica_forked", "outcome_unknown"] {
      #expect(codes.contains(StateValue(code)))
    }
  }

  @Test("the OpenAPI document names every path that is answered, with the methods that it has")
  func openAPI() throws {
    let paths = try #require(try hub("GET", "/openapi.json").json()["paths"]?.objectValue)
    #expect(paths.fields.count > 15)
    for path in paths.fields {
      let concrete = path.name.string.replacing("{swarm}", with: "default").replacing(/\{[a-z_]+\}/) { _ in
        "0000000000000001"
      }
      let allowed = try hub("TRACE", concrete)
      #expect(allowed.status != 404 || allowed.code != "not_found", "\(concrete)")
      let options = try hub("OPTIONS", concrete)
      #expect(options.status == 405, "\(concrete)")
      let methods = Set((options.headers["allow"] ?? "").split(separator: ", ").map { $0.lowercased() })
      let documented = Set(path.value.fieldNames)
      #expect(methods.subtracting(["head"]) == documented, "\(concrete)")
    }
  }

  @Test("the document says what each operation answers, and the tests' check against it can fail")
  func openAPIAnswers() throws {
    let paths = try #require(try hub("GET", "/openapi.json").json()["paths"]?.objectValue)
    for path in paths.fields {
      for operation in path.value.objectValue?.fields ?? [] {
        let responses = operation.value["responses"]?.objectValue?.fields ?? []
        let contents = responses.filter { $0.name.string.hasPrefix("2") }.compactMap {
          $0.value["content"]?.objectValue
        }
        #expect(!contents.isEmpty, "\(operation.name) \(path.name)")
        for content in contents.flatMap(\.fields) where content.name == "application/json" {
          let properties = content.value["schema"]?["properties"]?.objectValue
          #expect(properties?.fields.isEmpty == false, "\(operation.name) \(path.name)")
        }
      }
    }
    let schemas = try AnswerSchemas.of(hub.address)
    let json = ["content-type": "application/json"]
    for (status, headers, body) in [
      (200, json, "{}"), (200, json, #"{"swarms": 1, "next": null}"#), (200, json, #"{"swarms": [{}], "next": null}"#),
      (200, json, #"{"swarms": [], "next": 1}"#), (200, ["content-type": "text/plain"], "x"), (202, json, "{}"),
      (404, json, "{}"),
    ] {
      let answer = HubAddress.Answer(status: status, headers: headers, body: body)
      #expect(schemas.fault(of: answer, to: "GET", "/v1/swarms?limit=1") != nil, "\(answer)")
    }
    let right = HubAddress.Answer(status: 200, headers: json, body: #"{"swarms": [{"swarm": "a"}], "next": null}"#)
    #expect(schemas.fault(of: right, to: "GET", "/v1/swarms") == nil)
  }

  @Test("the document has every field that a body may have, and none that is refused")
  func openAPIBodies() throws {
    let paths = try #require(try hub("GET", "/openapi.json").json()["paths"]?.objectValue)
    var bodies = 0
    for path in paths.fields {
      let concrete = path.name.string.replacing("{swarm}", with: "default").replacing(/\{[a-z_]+\}/) { _ in
        "0000000000000001"
      }
      for operation in path.value.objectValue?.fields ?? [] {
        let method = operation.name.string.uppercased()
        guard let schema = operation.value["requestBody"]?["content"]?["application/json"]?["schema"] else {
          #expect(method == "GET" || method == "DELETE" || concrete == "/v1/backup", "\(method) \(concrete)")
          continue
        }
        bodies += 1
        let unknown = try hub(method, concrete, #"{"no_such_field": 1}"#)
        #expect(unknown.status == 422, "\(method) \(concrete)")
        for field in schema["properties"]?.objectValue?.fields ?? [] {
          // Whatever else is wrong with it, the field is known.
          let answer = try hub(method, concrete, "{\"\(field.name)\": [[]]}")
          #expect(!answer.body.contains("there is no such field"), "\(method) \(concrete) \(field.name)")
        }
      }
    }
    #expect(bodies == 18)
  }

  @Test("§5.6 replicas are listed and closed")
  func replicas() throws {
    #expect(try hub("GET", "replicas").json()["replicas"] == [])
    #expect(try hub("DELETE", "replicas/00000000000000ab").code == "unknown_replica")
    #expect(try hub("DELETE", "replicas/00000000000000ab?agent_id=a").code == "unknown_replica")
    #expect(try hub("DELETE", "replicas/00000000000000ab?agent_id=a&even_if_unknown=true").status == 200)
    #expect(try hub("DELETE", "replicas/00000000000000aa?agent_id=a&even_if_unknown=true").status == 200)
    let first = try hub("GET", "replicas?limit=1").json()
    #expect(first["next"] == "00000000000000aa" && first["revision"] == 2)
    let second = try hub("GET", "replicas?limit=1&after=00000000000000aa").json()
    #expect(second["replicas"]?.arrayValue?.first?["replica"] == "00000000000000ab" && second["next"] == .null)
    #expect(try hub("GET", "replicas?after=x").field == "/after")
    #expect(try hub("DELETE", "replicas/x").field == "/replica")
  }

  @Test("§3.5 §3.7 §3.9 versions are resolved, and conflicts found, without a swarm")
  func resolve() throws {
    let versions = #"""
      [{"state_key": "counter", "value": 100, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "agent-1",
        "metadata": {"crdt_type": "counter"}},
       {"state_key": "counter", "value": 150, "version": 1, "timestamp": "2025-11-29T10:00:00Z", "agent_id": "agent-2",
        "metadata": {"crdt_type": "counter"}}]
      """#
    let merged = try hub(
      "POST", "/v1/resolve", #"{"strategy": "crdt", "state_key": "counter", "versions": \#(versions)}"#
    ).json()
    #expect(merged["value"] == 250 && merged["version"] == 2)
    #expect(
      try hub("POST", "/v1/resolve", #"{"strategy": "lww", "state_key": "counter", "versions": \#(versions)}"#).json()[
        "value"] == 150)
    #expect(try hub("POST", "/v1/detect", #"{"versions": \#(versions)}"#).json()["conflicts"] == ["counter"])
    #expect(try hub("POST", "/v1/resolve", #"{"versions": \#(versions)}"#).field == "/strategy")
    #expect(try hub("POST", "/v1/resolve", #"{"strategy": "lww", "versions": []}"#).status == 422)
    #expect(
      try hub("POST", "/v1/resolve", #"{"strategy": "lww", "state_key": "k", "versions": [{}]}"#).field?.hasPrefix(
        "/versions/0") == true)
  }
}
