import Foundation
import MoaiCRDT
import MoaiFlow
import Synchronization
import Testing

@Suite("faults around a hub", .serialized)
struct HubFaultTests {
  @Test("connections that say nothing, or half of a head, are closed; others are served meanwhile")
  func silentConnections() throws {
    let hub = try HubProcess(MoaiFlowProcess(try TemporaryFolder()), ["--idle-timeout-ms", "700"])
    let silent = try (0..<100).map { _ in try HubConnection(port: hub.port) }
    let slow = try HubConnection(port: hub.port)
    try slow.send("PUT /v1/swarms/default/state/k HTTP/1.1\r\nHost: 127.0")
    // The one stream that says nothing is left alone.
    let stream = try hub.stream("changes?since=head")
    #expect(try hub("PUT", "state/k", #"{"value": 1, "agent_id": "a"}"#).status == 201)
    for connection in silent + [slow] { #expect(try connection.readToEnd() == []) }
    try hub("PUT", "state/k", #"{"value": 2, "agent_id": "a"}"#)
    #expect(try stream.next()?.json()["revision"] == 1)
    #expect(try stream.next()?.json()["revision"] == 2)
  }

  @Test("a flood of headers is refused, and a request that is none, and the hub lives on")
  func headers() throws {
    let hub = try HubProcess()
    let many = Dictionary(uniqueKeysWithValues: (0..<500).map { ("X-Header-\($0)", "x") })
    let long = ["X-Long": String(repeating: "x", count: 200_000)]
    for flood in [many, long] {
      let connection = try HubConnection(port: hub.port)
      let lines = flood.map { "\($0.key): \($0.value)\r\n" }.joined()
      // The hub may have closed before all was sent.
      try? connection.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\(lines)\r\n")
      let answer = String(decoding: (try? connection.readToEnd()) ?? [], as: UTF8.self)
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
    }
    for noise in ["\u{0}\u{1}\u{2}", "GET\r\n\r\n", "HELO hub\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
      let connection = try HubConnection(port: hub.port)
      try connection.send(noise + "\r\n")
      let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.0 4"), "\(answer)")
    }
    #expect(try hub("GET", "/healthz").status == 200)
  }

  @Test("a body that is not what its headers say is 400; one that is asked for is; a last answer ends its connection")
  func bodies() throws {
    let hub = try HubProcess()
    let head = "PUT /v1/swarms/default/state/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    for size in ["-1", "zz", "0x1b", "ffffffffffffffffff"] {
      let connection = try HubConnection(port: hub.port)
      try connection.send(head + "Transfer-Encoding: chunked\r\n\r\n\(size)\r\n{}\r\n0\r\n\r\n")
      let answer = String(decoding: try connection.readToEnd(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 400"), "\(size): \(answer)")
    }
    let body = #"{"value": 1, "agent_id": "a"}"#
    let asking = try HubConnection(port: hub.port)
    try asking.send(head + "Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
    #expect(String(decoding: try asking.read(), as: UTF8.self).hasPrefix("HTTP/1.1 100"))
    try asking.send(body)
    #expect(String(decoding: try asking.read(), as: UTF8.self).hasPrefix("HTTP/1.1 201"))
    let long = try HubConnection(port: hub.port)
    try long.send(head + "Content-Length: 9000000\r\n\r\n" + String(repeating: "x", count: 9_000_000))
    try? long.send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    let answer = String(decoding: try long.readToEnd(), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 413") && !answer.contains("200 OK"), "\(answer)")
  }

  @Test("what the HTTP parser refuses gets a problem document, too; headers that are too long are 431")
  func parserRefusals() throws {
    let hub = try HubProcess()
    let host = "Host: 127.0.0.1\r\n"
    for (request, status, code) in [
      ("FETCH / HTTP/1.1\r\n\(host)\r\n", 400, "malformed"),
      ("GET /healthz HTTP/1.1\r\n\(host)Content-Length: ten\r\n\r\n", 400, "malformed"),
      (
        "GET /healthz HTTP/1.1\r\n\(host)X-Long: \(String(repeating: "x", count: 40_000))\r\n\r\n", 431,
        "headers_too_large"
      ),
    ] {
      let connection = try HubConnection(port: hub.port)
      try connection.send(request)
      let answer = try HubAddress.parse(try connection.readToEnd())
      #expect(answer.status == status && answer.code == code, "\(answer)")
      #expect(answer.headers["content-type"] == "application/problem+json")
      #expect(answer.headers["content-length"] == "\(answer.body.utf8.count)")
    }
  }

  @Test("a body that drips in is given up in time, before its answer and after it")
  func slowBodies() throws {
    let hub = try HubProcess(MoaiFlowProcess(try TemporaryFolder()), ["--idle-timeout-ms", "600"])
    let headers = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    let begun = ContinuousClock.now
    for (target, status, code) in [
      ("PUT /v1/swarms/default/state/k", 408, "request_timeout"),
      ("PATCH /v1/swarms/default/state/k", 405, "method_not_allowed"),
    ] {
      let connection = try HubConnection(port: hub.port)
      try connection.send("\(target) HTTP/1.1\r\n\(headers){")
      // Each byte is a sign of life; the hub gives up all the same.
      var bytes: [UInt8] = []
      while (try? connection.send(" ")) != nil, ContinuousClock.now - begun < .seconds(30) {
        guard let part = try? connection.readIfThere() else {
          Thread.sleep(forTimeInterval: 0.05)
          continue
        }
        if part.isEmpty { break }
        bytes += part
      }
      let answer = try HubAddress.parse(bytes)
      #expect(answer.status == status && answer.code == code, "\(answer)")
    }
    #expect(ContinuousClock.now - begun < .seconds(20))
    #expect(try hub("GET", "state").json()["keys"] == [])
  }

  @Test("of a body that goes on after its answer 8 MiB are read, and no more")
  func endlessBody() throws {
    let hub = try HubProcess()
    let connection = try HubConnection(port: hub.port)
    try connection.send(
      "PATCH /v1/swarms/default/state/k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n")
    let part = String(repeating: "x", count: 1 << 20)
    var sent = 0
    while sent < 200, (try? connection.send(part)) != nil { sent += 1 }
    // What the sockets hold is on its way, too.
    #expect(8..<100 ~= sent, "\(sent) MiB")
  }

  @Test("a hub that ends lets nobody wait: who waits for a revision is told so, who does not read is left")
  func endingWithWaiters() throws {
    let hub = try HubProcess()
    let waiting = try HubConnection(port: hub.port)
    try waiting.send(
      "GET /v1/swarms/default/state?at_least=999&wait_ms=60000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    let deaf = try hub.stream("changes")
    let value = String(repeating: "v", count: 500_000)
    for _ in 0..<30 { try hub("PUT", "state/k", #"{"value": "\#(value)", "agent_id": "a"}"#) }
    let begun = ContinuousClock.now
    #expect(hub.terminate() == 0)
    #expect(ContinuousClock.now - begun < .seconds(15))
    let answer = String(decoding: try waiting.readToEnd(), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 503"), "\(answer)")
    withExtendedLifetime(deaf) {}
  }

  @Test("§5.4 a filtered stream that has nothing to tell says how far the swarm is")
  func progress() throws {
    let hub = try HubProcess(MoaiFlowProcess(try TemporaryFolder()), ["--heartbeat-ms", "150"])
    let stream = try hub.stream("changes?since=head&prefix=mine/")
    try hub("PUT", "state/other", #"{"value": 1, "agent_id": "a"}"#)
    let event = try #require(try stream.next())
    #expect(event.name == "progress" && event.id?.hasSuffix("-1") == true)
    #expect(try event.json() == ["revision": 1])
    try hub("PUT", "state/mine%2Fk", #"{"value": 1, "agent_id": "a"}"#)
    #expect(try stream.next()?.name == "change")
    // From its id a reader goes on without what was told.
    let resumed = try hub.stream("changes?prefix=mine/", headers: ["Last-Event-ID": try #require(event.id)])
    #expect(try resumed.next()?.json()["changes"]?.arrayValue?.map { $0["state_key"] } == ["mine/k"])
  }

  @Test("§5.4 a reader that is too slow is told so and goes on from its last id; nobody waits for it")
  func overflow() throws {
    let hub = try HubProcess()
    let slow = try hub.stream("changes?since=head")
    let value = String(repeating: "x", count: 600)
    for round in 0..<40 {
      let writes = (0..<1_000).map { #"{"state_key": "k\#($0)", "value": "\#(round)\#(value)"}"# }.joined(
        separator: ",")
      #expect(try hub("POST", "batch", #"{"agent_id": "a", "writes": [\#(writes)]}"#).status / 100 == 2)
    }
    var last: String?
    var events = 0
    while let event = try slow.next() {
      if event.name == "end" {
        #expect(try event.json() == ["reason": "overflow"])
        break
      }
      last = event.id ?? last
      events += 1
    }
    #expect(events < 40, "it did not get everything")
    let resumed = try hub.stream("changes", headers: ["Last-Event-ID": try #require(last)])
    var keys: Set<String> = []
    while keys.count < 1_000, let event = try resumed.next() {
      for change in try event.json()["changes"]?.arrayValue ?? [] {
        keys.insert(change["state_key"]?.stringValue ?? "")
      }
    }
    #expect(keys.count == 1_000)
  }

  @Test("§10.1 SIGTERM under load ends in order, and what was answered is there")
  func terminatedUnderLoad() throws {
    let hub = try HubProcess()
    let answered = Mutex([Int: Int]())
    let group = DispatchGroup()
    let address = hub.address
    for client in 0..<8 {
      group.enter()
      Thread {
        var count = 0
        while count < 10_000,
          let answer = try? address(
            "POST", "state/n\(client)/ops", #"{"agent_id": "a\#(client)", "ops": [{"op": "increment", "by": 1}]}"#),
          answer.status < 300
        { count += 1 }
        answered.withLock { $0[client] = count }
        group.leave()
      }.start()
    }
    while try (0..<8).contains(where: { try hub("GET", "state/n\($0)").status == 404 }) {}
    #expect(hub.terminate() == 0)
    group.wait()
    for (client, count) in answered.withLock({ $0 }) {
      let found = try #require(Int(try hub.moai("state", "get", "n\(client)").output.dropLast()))
      // One more may have been under way when its answer was lost.
      #expect(count > 0 && (found == count || found == count + 1), "\(client): \(found) of \(count)")
    }
    try hub.moai("check").expectSuccess()
  }

  @Test(
    "a full disk: writes are 503 with the reason, reads go on, and writes too once there is space",
    .enabled(if: TinyDisk.isAvailable))
  func fullDisk() throws {
    let disk = try TinyDisk()
    defer { disk.unmount() }
    var moai = MoaiFlowProcess(try TemporaryFolder())
    moai.environment["MOAI_FLOW_DATA"] = disk.folder + "/data"
    try Data(repeating: 0, count: 4 << 20).write(to: URL(fileURLWithPath: disk.folder + "/ballast"))
    let hub = try HubProcess(moai)
    let value = String(repeating: "x", count: 100_000)
    var stored = 0
    var answer = try hub("PUT", "state/k0", #"{"value": "\#(value)", "agent_id": "a"}"#)
    while answer.status < 300, stored < 200 {
      stored += 1
      answer = try hub("PUT", "state/k\(stored)", #"{"value": "\#(value)", "agent_id": "a"}"#)
    }
    #expect(answer.status == 503 && answer.code == "disk_full", "\(answer.status) after \(stored)")
    #expect(answer.headers["retry-after"] == "5")
    #expect(try hub("GET", "state/k0").json()["value"]?.stringValue == value)
    #expect(try hub("GET", "changes?limit=1").status == 200)
    try FileManager.default.removeItem(atPath: disk.folder + "/ballast")
    #expect(try hub("PUT", "state/after", #"{"value": 1, "agent_id": "a"}"#).status == 201)
    #expect(hub.terminate() == 0)
    try moai("check").expectSuccess()
    #expect(try moai("state", "list", "--limit", "1000").lines.count == stored + 1)
  }
}

/// A disk of 8 MiB in memory, which root may mount where that is allowed.
struct TinyDisk {
  let folder = NSTemporaryDirectory() + "/moai-flow-disk-" + UUID().uuidString

  static let isAvailable: Bool = {
    guard geteuid() == 0, let disk = try? TinyDisk() else { return false }
    disk.unmount()
    return true
  }()

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    guard TinyDisk.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder) else {
      try FileManager.default.removeItem(atPath: folder)
      throw CocoaError(.executableLoad)
    }
  }

  func unmount() {
    _ = TinyDisk.run("umount", folder)
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func run(_ command: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
