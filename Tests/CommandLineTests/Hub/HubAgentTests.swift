import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import Testing

/// Agents over HTTP, in sessions, from the command line and from clients (rules §7.1 to §7.4).
@Suite("agents on a hub", .serialized)
struct HubAgentTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  @Test("§7.1 an agent registers with 201, again with 200 and what it said kept, is listed, and leaves")
  func registers() throws {
    let profile = #"{"capabilities": ["swift", "review"], "weight": 3, "capacity": 2, "metadata": {"team": "red"}}"#
    let first = try hub("PUT", "agents/alice", profile)
    #expect(first.status == 201)
    #expect(try first.json()["incarnation"] == 1 && first.json()["health"] == "healthy")
    let again = try hub("PUT", "agents/alice", #"{"weight": 5}"#)
    #expect(again.status == 200)
    let status = try again.json()
    #expect(status["incarnation"] == 2 && status["weight"] == 5 && status["capabilities"] == ["review", "swift"])
    #expect(try hub("PUT", "agents/bob").status == 201, "with nothing to say")
    let page = try hub("GET", "agents?limit=1").json()
    #expect(page["next"] == "alice" && page["revision"] == 3)
    #expect(try hub("GET", "agents?after=alice").json()["agents"]?.arrayValue?.first?["agent_id"] == "bob")
    #expect(try hub("GET", "agents/alice").json()["metadata"] == ["team": "red"])
    #expect(try hub("DELETE", "agents/alice").json()["unregistered"] == true)
    #expect(try hub("DELETE", "agents/alice").code == "unknown_agent")
    #expect(try hub("GET", "agents/alice").status == 404)
    #expect(try hub("POST", "agents/alice/heartbeat").code == "unknown_agent")
  }

  @Test("§7.1 a registration repeated under its key is told its incarnation, also when the hub was killed")
  func registersOnce() throws {
    let key = ["Idempotency-Key": "r1"]
    #expect(try hub("PUT", "agents/alice", "{}", headers: key).json()["incarnation"] == 1)
    try hub("PUT", "agents/alice", "{}")
    try hub.killAndRestart()
    let repeated = try hub("PUT", "agents/alice", "{}", headers: key)
    #expect(try repeated.status == 201 && repeated.json()["incarnation"] == 1)
    #expect(try hub("GET", "agents/alice").json()["incarnation"] == 2)
  }

  @Test(
    "fields out of bounds, and other agents' names, are refused with the field, and nothing is registered",
    arguments: [
      (#"{"capabilities": [1]}"#, "/capabilities/0"), (#"{"capabilities": ["a\u0001"]}"#, "/capabilities/0"),
      (#"{"weight": -1}"#, "/weight"), (#"{"capacity": "many"}"#, "/capacity"),
      (#"{"public_key": "AAAA"}"#, "/public_key"),
      (#"{"heartbeat_interval_ms": 5}"#, "/heartbeat_interval_ms"), (#"{"metadata": []}"#, "/metadata"),
      (#"{"agent_id": "bob"}"#, "/agent_id"), (#"{"intervall": 5}"#, "/intervall"),
    ])
  func refusals(body: String, field: String) throws {
    let answer = try hub("PUT", "agents/alice", body)
    #expect(answer.status == 422 && answer.field == field, "\(answer.body)")
    #expect(try hub("GET", "agents").json()["agents"] == [])
  }

  @Test(
    "§7.3 §7.4 silence is told in sessions and ends in an entry; a request recovers; a session resumes what it missed")
  func silence() throws {
    try hub("PUT", "agents/watcher", #"{"heartbeat_interval_ms": 60000}"#)
    let session = try hub.stream("agents/watcher/events")
    try hub("PUT", "agents/sleeper", #"{"heartbeat_interval_ms": 400}"#)
    let registered = try #require(try session.next())
    #expect(registered.name == "agent" && registered.id != nil)
    #expect(try registered.json() == ["agent_id": "sleeper", "incarnation": 2, "change": "registered"])
    var told: [String] = []
    var failedAt: String?
    while failedAt == nil, let event = try session.next() {
      for agent in try event.json()["agents"]?.arrayValue ?? [] where agent["agent_id"] == "sleeper" {
        told.append(agent["health"]?.stringValue ?? "")
      }
      if try event.name == "agent" && event.json()["change"] == "failed" { failedAt = event.id }
    }
    // Which steps are seen on the way depends on when the hub looks.
    #expect(told.allSatisfy { ["degraded", "critical"].contains($0) }, "\(told)")
    #expect(try hub("GET", "agents/sleeper").json()["health"] == "failed")
    let entries = try hub("GET", "log").json()["entries"]?.arrayValue ?? []
    #expect(entries.last?["agent_id"] == "journal" && entries.last?["agent"]?["fail"]?["agent_id"] == "sleeper")
    let answer = try hub("POST", "state/c/ops", #"{"agent_id": "sleeper", "ops": [{"op": "increment", "by": 1}]}"#)
    #expect(answer.status == 201)
    #expect(try hub("GET", "agents/sleeper").json()["failed_at"] == nil)
    let resumed = try hub.stream("agents/watcher/events", headers: ["Last-Event-ID": try #require(failedAt)])
    let missed = try #require(try resumed.next())
    #expect(try missed.json()["change"] == "recovered")
    #expect(
      try hub("GET", "agents/watcher/events", headers: ["Accept": "text/event-stream", "Last-Event-ID": "x"]).status
        == 422)
  }

  @Test("§7.2 §7.4 a hub that was killed, and one that was stopped for a while, declare nobody dead")
  func pauses() throws {
    try hub("PUT", "agents/alice", #"{"heartbeat_interval_ms": 1500}"#)
    // Longer than three intervals.
    kill(hub.running.process.processIdentifier, SIGSTOP)
    Thread.sleep(forTimeInterval: 5)
    kill(hub.running.process.processIdentifier, SIGCONT)
    try hub("GET", "/healthz")
    Thread.sleep(forTimeInterval: 1.2)
    #expect(try hub("POST", "agents/alice/heartbeat").json()["health"] == "healthy")
    #expect(try hub("GET", "/v1/swarms/default").json()["revision"] == 1, "nothing but the registration")
    try hub.killAndRestart()
    let status = try hub("GET", "agents/alice").json()
    #expect(status["health"] == "healthy" && status["last_seen"] == .null)
  }

  @Test("§7.2 what heartbeats say is seen by others: busy, progress, status")
  func heartbeats() throws {
    try hub("PUT", "agents/alice", "{}")
    let body = #"{"busy_for_ms": 60000, "progress": {"step": 3}, "status": "thinking", "agent_id": "alice"}"#
    let answer = try hub("POST", "agents/alice/heartbeat", body).json()
    #expect(answer["progress"] == ["step": 3] && answer["status"] == "thinking" && answer["busy_for_ms"] == 60_000)
    #expect(try hub("GET", "agents").json()["agents"]?.arrayValue?.first?["status"] == "thinking")
    #expect(try hub("POST", "agents/alice/heartbeat", #"{"busy_for_ms": -1}"#).field == "/busy_for_ms")
    let long = #"{"status": "\#(String(repeating: "x", count: 2000))"}"#
    #expect(try hub("POST", "agents/alice/heartbeat", long).field == "/status")
    #expect(try hub("GET", "/v1/swarms/default").json()["revision"] == 1, "heartbeats are no entries")
  }

  @Test("§7.1 with tokens an agent registers and speaks for itself only; its reads are signs of life")
  func tokens() throws {
    let moai = hub.moai
    let admin = try #require(try moai("token", "create", "--role", "admin").lines.first)
    let alice = try #require(try moai("token", "create", "--role", "agent", "--as", "alice").lines.first)
    while try hub("GET", "state").status != 401 { Thread.sleep(forTimeInterval: 0.1) }
    func ask(_ token: String, _ method: String, _ path: String, _ body: String? = nil) throws -> HubAddress.Answer {
      try hub(method, path, body, headers: ["Authorization": "Bearer \(token)"])
    }
    #expect(try ask(alice, "PUT", "agents/alice", #"{"heartbeat_interval_ms": 2000}"#).status == 201)
    #expect(try ask(alice, "PUT", "agents/bob", "{}").code == "not_yours")
    #expect(try ask(alice, "DELETE", "agents/bob").code == "not_yours")
    #expect(try ask(alice, "POST", "agents/bob/heartbeat", "{}").code == "not_yours")
    // Longer than three intervals.
    for _ in 0..<35 {
      _ = try ask(alice, "GET", "state")
      Thread.sleep(forTimeInterval: 0.2)
    }
    #expect(try ask(admin, "GET", "agents/alice").json()["health"] != "failed")
    #expect(try ask(admin, "DELETE", "agents/alice").status == 200)
  }

  @Test("§7.1 §7.2 the client in Swift registers, keeps its agent alive by itself, and hears of others in its session")
  func swiftClient() async throws {
    let swarm = try HubClient("http://127.0.0.1:\(hub.port)").swarm()
    let alice = try swarm.join(as: "alice")
    let (messages, heard) = AsyncStream.makeStream(of: AgentMessage.self)
    let session = Task {
      try await alice.listen { message in
        heard.yield(message)
        return nil
      }
    }
    let profile = AgentProfile.Change(capabilities: ["swift"], capacity: .some(nil), heartbeatInterval: 3_000)
    try await alice.presence.whileAlive(profile, saying: { Heartbeat(status: "here") }) {
      let start = ContinuousClock.now
      while ContinuousClock.now - start < .seconds(10) {
        try await Task.sleep(for: .milliseconds(300))
        let status = try #require(try await swarm.agents.status(of: "alice"))
        // A busy machine may be late.
        #expect(status.standing.health != .failed)
      }
      let status = try #require(try await swarm.agents.status(of: "alice"))
      #expect(status.standing.heartbeat.status == "here" && status.profile.capabilities == ["swift"])
      #expect(try await swarm.agents.list().agents.map(\.agent.description) == ["alice"])
    }
    // Nobody keeps it alive any more.
    for await message in messages {
      if case .agent(let event) = message, event.kind == .failed { break }
    }
    #expect(try await alice.presence.heartbeat().standing.health == .healthy)
    try await alice.presence.unregister()
    #expect(try await swarm.agents.status(of: "alice") == nil)
    let error = await #expect(throws: SwarmError.self) { try await alice.presence.unregister() }
    #expect(error == .refused(.agent(.unknown(alice.agent))))
    session.cancel()
  }

  @Test("§7.1 the command line registers, lists, watches and removes")
  func commandLine() throws {
    let moai = hub.moai
    try moai("agents", "list").expectSuccess("")
    try moai("agents", "register", "w-1", "--capability", "swift", "--interval", "60s", "--metadata", #"{"a": 1}"#)
      .expectSuccess("w-1 is registered, incarnation 1\n")
    let json = try moai("agents", "register", "w-1", "--capacity", "3", "--json").output
    #expect(try JSONParser().parse(json)["capacity"] == 3)
    let line = try moai("agents", "list").output
    #expect(line.hasPrefix("w-1\thealthy\t0\tswift\t"), "\(line)")
    let watching = try moai.start(["agents", "list", "--watch"])
    #expect(try watching.nextLine().hasPrefix("w-1\thealthy"))
    try hub("POST", "agents/w-1/heartbeat", #"{"status": "reading"}"#)
    while !(try watching.nextLine()).hasSuffix("reading") {}
    kill(watching.process.processIdentifier, SIGINT)
    #expect(watching.waitForEnd() == 0)
    try moai("agents", "remove", "w-1").expectSuccess("w-1 is no member any more\n")
    try moai("agents", "remove", "w-1").expectFailure(1, "is not registered")
    try moai("agents", "register", "no good").expectFailure(2, "has a character")
    try moai("agents", "register", "w", "--interval", "soon").expectFailure(2, "is no duration")
    try moai("agents", "register", "w", "--metadata", "[]").expectFailure(2, "must be a JSON object")
  }
}
