import ArgumentParser
import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

/// One agent of the demo, in a process of its own. It prints what it knows it did, as JSON.
struct DemoAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo-agent", abstract: "One agent of the demo.", shouldDisplay: false)

  enum Part: String, ExpressibleByArgument {
    /// Writes a counter, a set, a map and registers until the time is over.
    case write
    /// Is cut off: writes on into a replica of its own, and comes back.
    case away
    /// Answers a full sync with what `--answer` says; without it, never.
    case session
  }

  @Option var hub: String
  @Option(name: .customLong("as")) var name: String
  @Option var part: Part
  @Option var seconds = 1.0
  @Option var folder: String?
  @Option var answer: String?

  func run() async throws {
    let client = try HubClient(hub)
    let books: StateValue =
      switch part {
      case .write: try await write(as: client.swarm().join(as: name))
      case .away: try await beAway(client)
      case .session: try await listen(client.swarm().join(as: name))
      }
    try Terminal.write(JSONWriter.text(books))
  }

  private func write(as member: HubMember) async throws -> StateValue {
    let end = ContinuousClock.now + .seconds(seconds)
    var (increments, writes): (Int64, Int64) = (0, 0)
    var added: [StateValue] = []
    var (field, own): (StateValue, StateValue) = (.null, .null)
    var round: Int64 = 0
    while ContinuousClock.now < end {
      round += 1
      switch round % 4 {
      case 0:
        try await member.state.increment("demo/requests")
        increments += 1
      case 1:
        let element = StateValue("\(name)-task-\(round)")
        try await member.state.add(element, to: "demo/tasks")
        added.append(element)
      case 2:
        try await member.state.put(.int(round), field: name, in: "demo/config")
        field = .int(round)
      default:
        try await member.state.set("demo/status/\(name)", to: .int(round))
        own = .int(round)
      }
      writes += 1
    }
    return [
      "agent": StateValue(name), "increments": .int(increments), "added": .array(added), "field": field, "own": own,
      "writes": .int(writes),
    ]
  }

  /// Takes a copy, writes without a network for a while, then exchanges what either side lacks.
  private func beAway(_ client: HubClient) async throws -> StateValue {
    guard let folder else { throw Failure(.usage, "--folder is missing") }
    let store = try await SQLiteReplicaStore(folder: folder)
    let replica = try await Replica.open(as: name, in: store, sources: .system)
    try await replica.exchange(with: try client.swarm())
    let end = ContinuousClock.now + .seconds(seconds)
    var written: Int64 = 0
    while ContinuousClock.now < end {
      try await replica.increment("demo/requests")
      try await replica.add(StateValue("\(name)-offline-\(written)"), to: "demo/offline")
      written += 1
      try await Task.sleep(for: .milliseconds(5))
    }
    let back = try HubClient(hub)
    let report = try await replica.exchange(with: try back.swarm())
    // What it shows is what the hub shows: nobody else writes this key.
    let (own, there) = (try await replica.read("demo/offline"), try await back.swarm().state.read("demo/offline"))
    try await store.close()
    return [
      "agent": StateValue(name), "increments": .int(written), "sent": .int(Int64(report.sent)),
      "received": .int(Int64(report.received)), "refused": .int(Int64(report.refused.count)),
      "bytes_sent": .int(Int64(back.traffic.sent)), "bytes_received": .int(Int64(back.traffic.received)),
      "equal": .bool(own?.value == there?.value),
    ]
  }

  private func listen(_ member: HubMember) async throws -> StateValue {
    let given = try answer.map { try JSONParser().parse($0) }
    try await member.listen { message in
      guard case .stateRequest(let request) = message else { return nil }
      // Before the sync that counts, everybody only says that it is there.
      guard request.key.description == "demo/plan" else { return .state(SyncResponse(base: nil, .nothing)) }
      guard let given else {
        try await Task.sleep(for: .seconds(60))
        return nil
      }
      let base = given["base"]?.stringValue.flatMap { Cursor($0) }.map { RevisionReference.cursor($0) }
      if let value = given["value"] { return .state(SyncResponse(base: base, .value(value))) }
      if let operations = given["ops"] {
        return .state(SyncResponse(base: base, .operations(try StateOperation.list(json: operations))))
      }
      return .state(SyncResponse(base: nil, .nothing))
    }
    return .null
  }
}
