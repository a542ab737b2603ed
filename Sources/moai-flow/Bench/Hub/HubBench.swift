import Foundation
import MoaiFlow
import MoaiFlowClient
import Synchronization

/// The server table of the targets: a hub over loopback, beside a plain Hummingbird server in the same run.
struct HubBench {
  private static let seconds = 3.0
  private static let state = "/v1/swarms/default/state"

  func run() async throws -> [BenchRow] {
    try raiseFileLimit()
    return try await hello() + (try await traffic()) + (try await watchers()) + (try await fullSync())
      + (try await growth())
  }

  // MARK: Requests

  private func hello() async throws -> [BenchRow] {
    let server = try BenchServer(["bench-hello"])
    let request = LoadConnection.request("GET", "/hello")
    let outcome = try Load(port: server.port, clients: 64, seconds: Self.seconds) { _, _ in request }.run()
    return [BenchRow("hub", "a plain Hummingbird hello, 64 clients", "requests/s", outcome.perSecond)]
  }

  private func traffic() async throws -> [BenchRow] {
    try await BenchFolder.withFolder { folder in
      let hub = try BenchServer.hub(folder)
      let idle = try hub.memory()
      var rows = [BenchRow("hub", "memory, idle", "MB", Double(idle) / 1e6, target: "≤ 35")]
      let many = try Load(port: hub.port, clients: 64, seconds: Self.seconds, request: HubBench.write).run()
      rows.append(
        BenchRow(
          "hub", "durable writes of 100 bytes, 64 clients", "writes/s", many.perSecond, target: "≥ 0.6 × hello"))
      rows.append(BenchRow("hub", "  p99", "ms", many.latencies.percentile(99) * 1e3))
      let one = try Load(port: hub.port, clients: 1, seconds: Self.seconds, request: HubBench.write).run()
      rows.append(BenchRow("hub", "  1 client, p50", "µs", one.latencies.median * 1e6, target: "≤ 300"))
      let batches = try Load(port: hub.port, clients: 16, seconds: Self.seconds) { client, turn in
        let writes = (0..<100).map { number in
          #"{"state_key":"b\#(client)-\#(number)","value":"\#(BenchKeys.value(turn, number))"}"#
        }
        return LoadConnection.request(
          "POST", "/v1/swarms/default/batch",
          #"{"agent_id":"c\#(client)","writes":[\#(writes.joined(separator: ","))]}"#)
      }.run()
      rows.append(
        BenchRow(
          "hub", "durable writes, 100 a request, 16 clients", "writes/s", batches.perSecond * 100, target: "≥ 150,000"))
      let read = LoadConnection.request("GET", Self.state + "/c1-1")
      let reads = try Load(port: hub.port, clients: 64, seconds: Self.seconds) { _, _ in read }.run()
      rows.append(
        BenchRow("hub", "reads of one key, 64 clients", "reads/s", reads.perSecond, target: "≥ 0.85 × hello"))
      return rows
    }
  }

  private static let write: @Sendable (Int, Int) -> [UInt8] = { client, turn in
    LoadConnection.request(
      "PUT", "\(state)/c\(client)-\(turn % 100)",
      #"{"agent_id":"c\#(client)","value":"\#(BenchKeys.value(client, turn))"}"#)
  }

  // MARK: Watchers

  private static let watch = LoadConnection.request(
    "GET", "/v1/swarms/default/changes?since=head", accept: "text/event-stream")

  private func watchers() async throws -> [BenchRow] {
    try await BenchFolder.withFolder { folder in
      let hub = try BenchServer.hub(folder)
      let writer = try LoadConnection(port: hub.port)
      let first = try LoadConnection(port: hub.port)
      try first.send(Self.watch)
      try first.wait(for: "retry: 1000")
      var (writes, events): ([Double], [Double]) = ([], [])
      for turn in 0..<300 {
        let start = ContinuousClock.now
        try writer.send(Self.write(0, turn))
        _ = try writer.answer()
        let written = ContinuousClock.now
        try first.wait(for: "v-0-\(turn)-")
        writes.append((written - start).seconds)
        events.append((ContinuousClock.now - start).seconds)
      }
      var rows = [
        BenchRow(
          "hub", "write to its event at 1 watcher, over the write, p50", "µs",
          max(0, events.median - writes.median) * 1e6, target: "≤ 500")
      ]
      let before = try hub.memory()
      var connections: [LoadConnection] = []
      for _ in 0..<10_000 {
        let connection = try LoadConnection(port: hub.port)
        try connection.send(Self.watch)
        connections.append(connection)
      }
      for connection in connections { try connection.wait(for: "retry: 1000") }
      let after = try hub.memory()
      rows.append(
        BenchRow(
          "hub", "memory of each of 10,000 watchers", "KiB", Double(after - before) / 10_000 / 1024, target: "≤ 20"))
      var seconds: [Double] = []
      for turn in 0..<5 {
        let start = ContinuousClock.now
        try writer.send(Self.write(1, turn))
        _ = try writer.answer()
        for connection in connections { try connection.wait(for: "v-1-\(turn)-") }
        seconds.append((ContinuousClock.now - start).seconds)
      }
      rows.append(BenchRow("hub", "one write to all of 10,000 watchers", "s", seconds.median, target: "≤ 1"))
      return rows
    }
  }

  private func fullSync() async throws -> [BenchRow] {
    try await BenchFolder.withFolder { folder in
      let hub = try BenchServer.hub(folder)
      let swarm = try HubClient("http://127.0.0.1:\(hub.port)").swarm()
      let sessions = try (0..<100).map { number in
        let member = try swarm.join(as: "agent-\(number)")
        return Task {
          try await member.listen { message in
            guard case .stateRequest = message else { return nil }
            return .state(SyncResponse(base: .revision(0), .operations([.add(.int(Int64(number)))])))
          }
        }
      }
      defer { for session in sessions { session.cancel() } }
      func synchronize(_ key: String) async throws -> SyncReport {
        let id = CommandID(high: 9, low: .random(in: .min ... .max))
        return try await swarm.state.synchronize(key, timeout: .seconds(5), quorum: 0, id: id)
      }
      while try await synchronize("roll-call").responders.count < 100 {}
      var seconds: [Double] = []
      for round in 0..<50 {
        let start = ContinuousClock.now
        let report = try await synchronize("key-\(round)")
        seconds.append((ContinuousClock.now - start).seconds)
        try BenchFailure.check(report.responders.count, is: 100, "full sync, answers")
      }
      return [
        BenchRow("hub", "full sync of one key, 100 agents, p50", "ms", seconds.median * 1e3),
        BenchRow("hub", "  p99", "ms", seconds.percentile(99) * 1e3, target: "≤ 50"),
      ]
    }
  }

  // MARK: Growth

  private func growth() async throws -> [BenchRow] {
    try await BenchFolder.withFolder { folder in
      var hub = try BenchServer.hub(folder)
      let idle = try hub.memory()
      var rows: [BenchRow] = []
      var keys = 0
      for size in [1_000, 10_000, 100_000, 1_000_000] {
        try fill(keys..<size, port: hub.port)
        keys = size
        let memory = try hub.memory()
        let load = try Load(port: hub.port, clients: 64, seconds: 2) { client, turn in
          let number = (client * 7_919 + turn * 104_729) % size
          return LoadConnection.request(
            "PUT", "\(Self.state)/\(BenchKeys.name(number))",
            #"{"agent_id":"c\#(client)","value":"\#(BenchKeys.value(number, turn))"}"#)
        }.run()
        rows.append(BenchRow("hub", "among \(size) keys: durable writes, 64 clients", "writes/s", load.perSecond))
        rows.append(
          BenchRow("hub", "  memory for each key", "B", Double(memory - idle) / Double(size), target: "≤ 400"))
        guard size == 100_000 else { continue }
        hub.stop()
        let start = ContinuousClock.now
        hub = try BenchServer.hub(folder)
        let ready = try LoadConnection(port: hub.port)
        var status = 0
        repeat {
          try ready.send(LoadConnection.request("GET", "/readyz"))
          status = try ready.answer()
        } while status != 200
        rows.append(
          BenchRow(
            "hub", "  start after a kill, to ready", "s", (ContinuousClock.now - start).seconds, target: "≤ 0.5"))
      }
      return rows
    }
  }

  private func fill(_ range: Range<Int>, port: Int) throws {
    let connection = try LoadConnection(port: port)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: 1_000) {
      let writes = (start..<min(start + 1_000, range.upperBound)).map { number in
        #"{"state_key":"\#(BenchKeys.name(number))","value":"\#(BenchKeys.value(number))"}"#
      }
      try connection.send(
        LoadConnection.request(
          "POST", "/v1/swarms/default/batch", #"{"agent_id":"filler","writes":[\#(writes.joined(separator: ","))]}"#))
      let status = try connection.answer()
      try BenchFailure.check(status, is: 200, "filling")
    }
  }

  /// Each watcher takes a file here and one in the hub, which gets the limit from here.
  private func raiseFileLimit() throws {
    var limit = rlimit()
    #if canImport(Glibc)
      let files = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    #else
      let files = RLIMIT_NOFILE
    #endif
    getrlimit(files, &limit)
    limit.rlim_cur = min(limit.rlim_max, 32_768)
    setrlimit(files, &limit)
    guard limit.rlim_cur >= 12_000 else {
      throw BenchFailure(reason: "10,000 watchers need more open files than \(limit.rlim_cur): ulimit -Hn")
    }
  }
}
