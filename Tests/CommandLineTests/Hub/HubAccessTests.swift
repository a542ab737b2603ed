import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("who may do what on a hub", .serialized)
struct HubAccessTests {
  let moai: MoaiFlowProcess
  let hub: HubProcess
  let admin: String

  init() throws {
    let folder = try TemporaryFolder()
    moai = MoaiFlowProcess(folder)
    try moai("swarms", "create", "lab").expectSuccess()
    admin = try Self.token(moai, "--role", "admin")
    hub = try HubProcess(moai)
    holder = folder
  }

  private let holder: TemporaryFolder

  private static func token(_ moai: MoaiFlowProcess, _ arguments: String...) throws -> String {
    let answer = try moai.run(["token", "create"] + arguments)
    #expect(answer.status == 0, "\(answer)")
    return try #require(answer.lines.first)
  }

  private func token(_ role: String, _ arguments: String...) throws -> String {
    let answer = try moai.run(["token", "create", "--role", role] + arguments)
    #expect(answer.status == 0, "\(answer)")
    return try #require(answer.lines.first)
  }

  @discardableResult
  private func ask(
    _ token: String?, _ method: String, _ path: String, _ body: String? = nil
  ) throws -> HubAddress.Answer {
    try hub(method, path, body, headers: token.map { ["Authorization": "Bearer \($0)"] } ?? [:])
  }

  @Test("every route asks for a token but those that say nothing, and refuses the roles that may not use it")
  func everyRoute() throws {
    let (observer, agent) = (try token("observer"), try token("agent", "--as", "alice"))
    let host = try token("host", "--as", "machine")
    let paths = try #require(try ask(admin, "GET", "/openapi.json").json()["paths"]?.objectValue)
    for path in paths.fields {
      let concrete = path.name.string.replacing("{swarm}", with: "lab").replacing(/\{[a-z_]+\}/) { _ in
        "0000000000000001"
      }
      for operation in path.value.objectValue?.fields ?? [] {
        let (method, needs) = (operation.name.string.uppercased(), operation.value["x-permission"])
        func code(_ token: String?) throws -> String? {
          try ask(token, method, concrete, method == "GET" || method == "DELETE" ? nil : "[]").code
        }
        let place: Comment = "\(method) \(concrete)"
        #expect(try (code(nil) == "unauthorized") == (needs != "none"), place)
        #expect(try (code(observer) == "forbidden") == (needs == "write" || needs == "administer"), place)
        let answer = try code(agent)
        #expect((answer == "forbidden") == (needs == "administer"), place)
        // Of others than itself a token for an agent may not say anything either.
        #expect((answer == "not_yours") == (concrete.contains("/agents/") && needs == "write"), place)
        #expect(try (code(host) == "forbidden") == (needs == "administer"), place)
      }
    }
  }

  @Test("a token writes as its agent, as one of its pattern, or as those whom its host runs; the log names the host")
  func authors() throws {
    let alice = try token("agent", "--as", "alice")
    #expect(try ask(alice, "PUT", "state/k", #"{"value": 1}"#).json()["agent_id"] == "alice")
    #expect(try ask(alice, "PUT", "state/k", #"{"value": 2, "agent_id": "bob"}"#).code == "not_yours")
    #expect(try ask(alice, "DELETE", "state/k?agent_id=bob").code == "not_yours")
    #expect(try ask(alice, "GET", "agents/bob/events").code == "not_yours")
    let workers = try token("agent", "--as", "worker-*")
    #expect(try ask(workers, "PUT", "state/k", #"{"value": 1}"#).field == "/agent_id")
    #expect(try ask(workers, "PUT", "state/k", #"{"value": 3, "agent_id": "worker-7"}"#).status == 200)
    #expect(try ask(workers, "PUT", "state/k", #"{"value": 3, "agent_id": "boss"}"#).code == "not_yours")
    let machine = try token("host", "--as", "machine", "--covers", "m-*")
    #expect(try ask(machine, "PUT", "state/k", #"{"value": 4, "agent_id": "m-1"}"#).json()["agent_id"] == "m-1")
    #expect(try ask(machine, "PUT", "state/k", #"{"value": 5}"#).json()["agent_id"] == "machine")
    #expect(try ask(machine, "PUT", "memory/notes/x", #"{"value": 5, "agent_id": "m-2"}"#).status == 201)
    let entries = try #require(try ask(admin, "GET", "log").json()["entries"]?.arrayValue)
    #expect(entries.map { $0["agent_id"] } == ["alice", "worker-7", "m-1", "machine", "m-2"])
    #expect(entries.map { $0["via"] } == [nil, nil, "machine", nil, "machine"])
  }

  @Test("§6.3 an agent takes back its own writes; another's needs an admin")
  func rewind() throws {
    let (alice, bob) = (try token("agent", "--as", "alice"), try token("agent", "--as", "bob"))
    try ask(alice, "PUT", "state/k", #"{"value": 1}"#)
    try ask(bob, "PUT", "state/k", #"{"value": 2}"#)
    #expect(try ask(alice, "POST", "rewind", #"{"agent_id": "bob", "since": 0}"#).code == "forbidden")
    #expect(try ask(alice, "POST", "rewind", #"{"revision": 2}"#).code == "forbidden")
    #expect(try ask(bob, "POST", "rewind", #"{"agent_id": "bob", "since": 0}"#).json()["revision"] == 3)
    #expect(try ask(admin, "POST", "rewind", #"{"revision": 3}"#).json()["revision"] == 4)
    #expect(try ask(alice, "GET", "state/k").json()["value"] == 2)
  }

  @Test("a token for a swarm reaches no other one, and its admin makes tokens for that one only")
  func oneSwarm() throws {
    let lab = try token("admin", "--for", "lab")
    #expect(try ask(lab, "PUT", "/v1/swarms/lab/state/k", #"{"value": 1, "agent_id": "a"}"#).status == 201)
    #expect(try ask(lab, "GET", "state").code == "forbidden")
    #expect(try ask(lab, "PUT", "/v1/swarms/third").code == "forbidden")
    #expect(try ask(lab, "POST", "/v1/backup").code == "forbidden")
    #expect(try ask(lab, "GET", "/v1/swarms").json()["swarms"]?.arrayValue?.map { $0["swarm"] } == ["lab"])
    #expect(try ask(lab, "POST", "/v1/tokens", #"{"role": "observer"}"#).code == "forbidden")
    let made = try ask(
      lab, "POST", "/v1/tokens", #"{"role": "agent", "agent": "x", "swarm": "lab", "note": "spawned"}"#)
    #expect(made.status == 201)
    let secret = try #require(try made.json()["token"]?.stringValue)
    #expect(try ask(secret, "PUT", "/v1/swarms/lab/state/k", #"{"value": 2}"#).json()["agent_id"] == "x")
    #expect(try ask(lab, "GET", "/v1/tokens").json()["tokens"]?.arrayValue?.count == 2, "the admin of all is not shown")
    let id = try #require(try made.json()["id"]?.stringValue)
    #expect(try ask(lab, "DELETE", "/v1/tokens?id=\(id)").json()["revoked"] == true)
    #expect(try ask(lab, "DELETE", "/v1/tokens?id=\(id)").code == "unknown_token")
    #expect(try ask(secret, "GET", "/v1/swarms/lab/state/k").status == 401)
    let root = try #require(
      try ask(admin, "GET", "/v1/tokens").json()["tokens"]?.arrayValue?.first { $0["swarm"] == nil })
    #expect(try ask(lab, "DELETE", "/v1/tokens?id=\(root["id"]?.stringValue ?? "")").code == "unknown_token")
  }

  @Test("revoking a token, and its end, end the streams that it opened")
  func revocation() throws {
    let alice = try token("agent", "--as", "alice")
    let bearer = ["Authorization": "Bearer \(alice)"]
    let streams = [
      try hub.stream("changes?since=head", headers: bearer), try hub.stream("agents/alice/events", headers: bearer),
    ]
    let id = try #require(alice.split(separator: "_").dropFirst().first)
    try moai("token", "revoke", "\(id)").expectSuccess("revoked \(id)\n")
    for stream in streams { #expect(try stream.next() == .init(name: "end", data: #"{"reason": "revoked"}"#)) }
    #expect(try ask(alice, "GET", "state").code == "unauthorized")
    let short = try ask(admin, "POST", "/v1/tokens", #"{"role": "observer", "expires_in_ms": 1500}"#).json()
    let secret = try #require(short["token"]?.stringValue)
    let log = try hub.stream("changes", headers: ["Authorization": "Bearer \(secret)"])
    #expect(try log.next() == .init(name: "end", data: #"{"reason": "revoked"}"#))
    #expect(try ask(secret, "GET", "state").status == 401)
  }

  @Test("a token that asks too often is told when to come back; others are not held up")
  func rate() throws {
    let slow = try token("observer", "--rate", "3")
    let answers = try (0..<12).map { _ in try ask(slow, "GET", "state") }
    let refused = answers.filter { $0.status == 429 }
    #expect(!refused.isEmpty && answers.prefix(3).allSatisfy { $0.status == 200 })
    #expect(refused.allSatisfy { $0.code == "rate_limited" && $0.headers["retry-after"] == "1" })
    #expect(try ask(admin, "GET", "state").status == 200)
  }

  @Test("what is no token is refused, whatever it looks like, and no secret is kept or logged")
  func noToken() throws {
    let secret = try #require(admin.split(separator: "_").last)
    let id = try #require(admin.split(separator: "_").dropFirst().first)
    let wrong = String(secret.reversed())
    for field in [
      "Bearer", "Bearer x", "Basic \(admin)", "Bearer \(admin)x", "Bearer moai_\(id)_\(wrong)", "Bearer moai_\(id)_",
      "Bearer moai_0000000000000000_\(secret)", admin,
    ] {
      let answer = try hub("GET", "state", headers: ["Authorization": field])
      #expect(answer.status == 401 && answer.code == "unauthorized", "\(field)")
      #expect(answer.headers["www-authenticate"] == "Bearer realm=\"moai-flow\"")
    }
    #expect(
      try hub("GET", "state", headers: ["Authorization": "bearer \(admin)", "Host": "hub.example"]).status == 200)
    let file = String(decoding: try holder.bytes("data/tokens.json"), as: UTF8.self)
    #expect(!file.contains(secret) && file.contains(id))
    let attributes = try FileManager.default.attributesOfItem(atPath: moai.folder + "/tokens.json")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }

  @Test("a file of tokens that cannot be read lets nobody in, and starts no hub")
  func brokenFile() throws {
    #expect(try ask(admin, "GET", "state").status == 200)
    try Data("{".utf8).write(to: URL(fileURLWithPath: moai.folder + "/tokens.json"))
    while try ask(admin, "GET", "state").status == 200 {}
    #expect(try ask(nil, "GET", "state").status == 401)
    #expect(hub.terminate() == 0)
    var quiet = moai
    quiet.environment["MOAI_FLOW_LOG_LEVEL"] = "critical"
    try quiet("serve", "--port", "0").expectFailure(2, "tokens.json")
    try quiet("token", "list").expectFailure(3, "tokens.json")
  }

  @Test("another address than loopback is served with tokens")
  func exposed() throws {
    let folder = try TemporaryFolder()
    let other = MoaiFlowProcess(folder)
    try other("swarms", "create", "lab").expectSuccess()
    let token = try Self.token(other, "--role", "observer")
    let running = try other.start(["serve", "--host", "0.0.0.0", "--port", "0"])
    let line = try running.nextLine()
    let port = try #require(line.firstMatch(of: /^listening on http:\/\/0\.0\.0\.0:([0-9]+)$/).flatMap { Int($0.1) })
    let address = HubAddress(port: port)
    #expect(try address("GET", "state").status == 401)
    #expect(try address("GET", "state", headers: ["Authorization": "Bearer \(token)"]).status == 200)
    // The hub stays closed if its file goes.
    try FileManager.default.removeItem(atPath: other.folder + "/tokens.json")
    while try address("GET", "state", headers: ["Authorization": "Bearer \(token)"]).status == 200 {}
    #expect(try address("GET", "state").status == 401)
    running.process.terminate()
    #expect(running.waitForEnd() == 0)
  }

  @Test("the command line refuses what no token can be, and says so")
  func commandLine() throws {
    try moai("token", "create", "--role", "agent").expectFailure(2, "--as")
    try moai("token", "create", "--role", "observer", "--as", "x").expectFailure(2, "--as")
    try moai("token", "create", "--role", "host", "--as", "x-*").expectFailure(2, "--as")
    try moai("token", "create", "--role", "admin", "--covers", "x").expectFailure(2, "--covers")
    try moai("token", "create", "--role", "agent", "--as", "no good").expectFailure(2, "--as")
    try moai("token", "create", "--role", "agent", "--as", "x", "--for", "Lab").expectFailure(2, "--for")
    try moai("token", "create", "--role", "king").expectFailure(2, "king")
    try moai("token", "create", "--role", "admin", "--days", "0").expectFailure(2, "--days")
    try moai("token", "revoke", "x").expectFailure(2, "sixteen")
    try moai("token", "revoke", "0000000000000000").expectFailure(1, "there is no token")
    let list = try moai("token", "list", "--json").json()
    #expect(list["tokens"]?.arrayValue?.map { $0["role"] } == ["admin"])
  }
}
