import Foundation
import MoaiCRDT
import MoaiFlow
import Testing

@Suite("changes over HTTP", .serialized)
struct HubStreamTests {
  let hub: HubProcess

  init() throws { hub = try HubProcess() }

  private func put(_ key: String, _ value: Int) throws {
    try hub("PUT", "state/\(key)", #"{"value": \#(value), "agent_id": "alice"}"#)
  }

  @Test("§5.3 what changed comes in pages; the last one has the cursor, the others where to go on")
  func pages() throws {
    for number in 1...3 { try put("k\(number)", number) }
    let first = try hub("GET", "changes?limit=2").json()
    #expect(first["more"] == true && first["cursor"] == nil)
    #expect(first["changes"]?.arrayValue?.count == 2)
    let next = try #require(first["next"]?.stringValue)
    let last = try hub("GET", "changes?limit=2&since=\(next)").json()
    #expect(last["more"] == false && last["changes"]?.arrayValue?.first?["state_key"] == "k3")
    let cursor = try #require(last["cursor"]?.stringValue)
    #expect(try hub("GET", "changes?since=\(cursor)").json()["changes"] == [])
    #expect(try hub("GET", "changes?since=head&as=value").json()["changes"] == [])
    #expect(try hub("GET", "changes?as=value").json()["changes"]?.arrayValue?.first?["value"] == 1)
    #expect(try hub("GET", "changes?since=0123456789abcdef-3").json()["snapshot"] == true)
    #expect(try hub("GET", "changes?since=nonsense").field == "/since")
    #expect(try hub("GET", "changes").headers["vary"] == "Accept")
  }

  @Test("§5.4 a stream tells what was missed, then entry by entry, and goes on from its last id")
  func stream() throws {
    try put("a", 1)
    let stream = try hub.stream("changes")
    let missed = try #require(try stream.next())
    #expect(missed.name == "change")
    #expect(try missed.json()["changes"]?.arrayValue?.map { $0["state_key"] } == ["a"])
    try put("b", 2)
    let live = try #require(try stream.next())
    #expect(live.name == "change")
    #expect(try live.json()["agent_id"] == "alice" && live.json()["revision"] == 2)
    try put("c", 3)
    // `Last-Event-ID` wins over `since`.
    let resumed = try hub.stream("changes?since=0", headers: ["Last-Event-ID": try #require(live.id)])
    let event = try #require(try resumed.next())
    #expect(try event.json()["changes"]?.arrayValue?.map { $0["state_key"] } == ["c"])
  }

  @Test("§5.4 a stream of a prefix, or of what comes only, tells nothing else")
  func filtered() throws {
    try put("old", 0)
    let stream = try hub.stream("changes?since=head&prefix=x/")
    try put("y", 1)
    try put("x%2F1", 2)
    let event = try #require(try stream.next())
    #expect(try event.json()["changes"]?.arrayValue?.map { $0["state_key"] } == ["x/1"])
  }

  @Test("§5.3 a stream from another epoch begins with a snapshot, in pages of which only the last has an id")
  func snapshot() throws {
    for entry in 0..<3 {
      let writes = (0..<700).map { #"{"state_key": "k\#(entry)-\#($0)", "value": \#($0)}"# }.joined(separator: ",")
      #expect(try hub("POST", "batch", #"{"agent_id": "a", "writes": [\#(writes)]}"#).status == 201)
    }
    let stream = try hub.stream("changes", headers: ["Last-Event-ID": "0123456789abcdef-7"])
    var ids: [String?] = []
    var keys = 0
    while keys < 2_100 {
      let event = try #require(try stream.next())
      #expect(event.name == "snapshot")
      keys += try event.json()["changes"]?.arrayValue?.count ?? 0
      ids.append(event.id)
    }
    #expect(keys == 2_100 && ids.count > 1)
    #expect(ids.dropLast().allSatisfy { $0 == nil } && ids.last != .some(nil))
  }

  @Test("streams end with the reason when the hub is told to end, at once, and nothing is lost")
  func shutdown() throws {
    try put("a", 1)
    let streams = try (0..<20).map { _ in try hub.stream("changes?since=head") }
    let begun = ContinuousClock.now
    #expect(hub.terminate() == 0)
    #expect(ContinuousClock.now - begun < .seconds(10))
    for stream in streams { #expect(try stream.next() == .init(name: "end", data: #"{"reason": "shutdown"}"#)) }
    #expect(try hub.moai("state", "get", "a").output == "1\n")
  }

  @Test("streams of changes and agents' sessions end when their swarm is deleted")
  func deleted() throws {
    try hub("PUT", "/v1/swarms/other")
    let stream = try hub.stream("/v1/swarms/other/changes")
    let session = try hub.stream("/v1/swarms/other/agents/alice/events")
    try hub("PUT", "/v1/swarms/other/state/k", #"{"value": 1, "agent_id": "a"}"#)
    #expect(try stream.next()?.name == "change")
    #expect(try hub("DELETE", "/v1/swarms/other").status == 200)
    for stream in [stream, session] {
      #expect(try stream.next() == .init(name: "end", data: #"{"reason": "deleted"}"#))
    }
  }

  @Test("§5.3 a key that changes between two pages of a pass is told with its value, so that nothing is added twice")
  func changesBetweenPages() throws {
    func add(_ key: String, _ amount: Int) throws {
      try hub("POST", "state/\(key)/ops", #"{"ops": [{"op": "increment", "by": \#(amount)}], "agent_id": "a"}"#)
    }
    try add("a", 100)
    try add("b", 100)
    let since = try #require(try hub("GET", "changes").json()["cursor"]?.stringValue)
    try add("a", 1)
    try add("b", 1)
    let first = try hub("GET", "changes?since=\(since)&limit=1").json()
    try add("a", 10)
    let next = try #require(first["next"]?.stringValue)
    let second = try hub("GET", "changes?since=\(next)").json()
    let changes = try #require(second["changes"]?.arrayValue)
    #expect(first["changes"]?.arrayValue?.first?["delta"] == ["ops": [["op": "increment", "by": 1]]])
    #expect(changes.map { $0["state_key"] } == ["b", "a"])
    #expect(changes.map { $0["delta"] } == [["ops": [["op": "increment", "by": 1]]], ["replace": 111]])
  }

  @Test("swarms that are made and deleted again and again leave no stream that nobody ends")
  func deletedWhileOpening() throws {
    let address = hub.address
    let opened = Opened()
    // Threads that may block; those of Swift's tasks must not.
    let threads = DispatchGroup()
    for number in 0..<9 {
      threads.enter()
      Thread.detachNewThread {
        defer { threads.leave() }
        for _ in 0..<60 {
          // Deletions overtake each other, and what was made since.
          if number < 2 {
            if let answer = try? address("PUT", "/v1/swarms/churn", "{}") {
              #expect(200...201 ~= answer.status, "\(answer)")
            }
          } else if number < 6 {
            _ = try? address("DELETE", "/v1/swarms/churn")
          } else if let stream = try? address.stream("/v1/swarms/churn/changes"), stream.status == 200 {
            opened.add(stream)
          }
        }
      }
    }
    threads.wait()
    _ = try hub("DELETE", "/v1/swarms/churn")
    for stream in opened.streams { #expect(try stream.next()?.name == "end") }
    #expect(try hub("GET", "/readyz").json()["streams"] == 0)
  }

  /// Streams from several threads.
  private final class Opened: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var streams: [HubStream] = []

    func add(_ stream: HubStream) { lock.withLock { streams.append(stream) } }
  }

  @Test("§5.1 §5.2 a full sync reaches sessions over the network: one answers, one is silent, and joins late")
  func fullSync() async throws {
    try put("c", 1)
    let (alice, bob) = (try hub.stream("agents/alice/events"), try hub.stream("agents/bob/events"))
    let address = hub.address
    let sync = Task.detached { try address("POST", "state/tags/sync", #"{"timeout_ms": 700, "quorum": 1}"#) }
    let asked = try #require(try alice.next())
    #expect(asked.name == "state_request" && asked.id == nil)
    #expect(try asked.json()["state_key"] == "tags")
    let id = try #require(try asked.json()["request_id"]?.stringValue)
    let response = #"{"agent_id": "alice", "base": 0, "ops": [{"op": "add", "element": "x"}]}"#
    let once = ["Idempotency-Key": "r1"]
    #expect(try hub("POST", "sync/\(id)/responses", response, headers: once).status == 202)
    #expect(try hub("POST", "sync/\(id)/responses", response, headers: once).status == 202, "the first answer again")
    #expect(try hub("POST", "sync/\(id)/responses", response).code == "unknown_request", "one answer each")
    let report = try await sync.value.json()
    #expect(report["responders"] == ["alice"] && report["asked"] == 2)
    #expect(report["missing"]?.arrayValue?.map { $0["agent_id"] } == ["bob"])
    #expect(try alice.next()?.json()["value"] == ["x"], "everybody is told the result")
    #expect(try bob.next()?.name == "state_request")
    let late = try hub("POST", "sync/\(id)/responses", #"{"agent_id": "bob", "value": ["y"], "base": 0}"#)
    #expect(late.status == 200)
    #expect(try late.json()["joined"] == true)
    #expect(try hub("GET", "state/tags").json()["value"] == ["x", "y"])
    #expect(try hub("POST", "sync/\(id)/responses", #"{"agent_id": "carol"}"#).status == 404)
    #expect(try hub("POST", "sync/x/responses", #"{"agent_id": "carol"}"#).status == 404)
  }

  @Test("§5.1 a full sync without a quorum is 504 with the report, and writes nothing")
  func noQuorum() throws {
    let failed = try hub("POST", "state/k/sync", #"{"timeout_ms": 50, "quorum": 1}"#)
    #expect(failed.status == 504 && failed.code == "quorum_not_reached")
    #expect(try failed.json()["report"]?["asked"] == 0)
    #expect(try hub("POST", "state/k/sync").status == 200)
    #expect(try hub("POST", "state/k/sync", #"{"quorum": -1}"#).field == "/quorum")
  }

  @Test("an agent's newest session is the one; the old one ends")
  func newestSession() throws {
    let first = try hub.stream("agents/alice/events")
    let second = try hub.stream("agents/alice/events")
    #expect(try first.next() == .init(name: "end", data: #"{"reason": "revoked"}"#))
    #expect(try hub("GET", "agents/alice/events").status == 406)
    #expect(hub.terminate() == 0)
    #expect(try second.next() == .init(name: "end", data: #"{"reason": "shutdown"}"#))
  }
}
