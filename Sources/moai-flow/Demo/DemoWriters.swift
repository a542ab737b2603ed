import Foundation
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient

/// Processes that write at once, in two languages, while one agent is cut off and the hub is killed.
struct DemoWriters {
  let agents: Int
  let seconds: Double
  let folder: String

  func run(on hub: DemoHub, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("\(agents) processes write at once; the hub is killed in the middle")
    let start = ContinuousClock.now
    var writers = try (1...agents).map { number in
      try DemoProcess("agent-\(number)", ["--part", "write", "--hub", hub.url, "--seconds", "\(seconds)"])
    }
    if let python = try DemoPython.writer(hub: hub.url, seconds: seconds) {
      writers.append(python)
      stage.line("written in Python", python.name)
    } else {
      stage.note("python3 or the Python client is not here: all agents are Swift")
    }
    let away = try DemoProcess(
      "traveller",
      ["--part", "away", "--hub", hub.url, "--seconds", "\(seconds)", "--folder", folder + "/traveller"])
    try await Task.sleep(for: .seconds(seconds * 0.4))
    let moment = start.duration(to: .now)
    hub.killHard()
    let killed = ContinuousClock.now
    try hub.restart()
    stage.line(
      "hub: SIGKILL after", "\(moment.tenths) s, listening again \(killed.duration(to: .now).milliseconds) ms later")
    var books: [StateValue] = []
    for writer in writers { books.append(try await writer.result()) }
    let elapsed = start.duration(to: .now).seconds
    let writes = books.reduce(0) { $0 + ($1["writes"]?.number ?? 0) }
    stage.line("acknowledged, on disk", "\(writes.grouped) writes, \(Int(Double(writes) / elapsed).grouped)/s")
    let traveller = try await away.result()
    try await check(books, traveller, in: HubClient(hub.url).swarm(), ledger)
    show(traveller, stage, ledger)
  }

  private func show(_ traveller: StateValue, _ stage: DemoStage, _ ledger: DemoLedger) {
    stage.scene("One agent was cut off, wrote on, and came back")
    func number(_ name: String) -> Int { traveller[name]?.number ?? 0 }
    stage.line("written without a network", "\((number("increments") * 2).grouped) writes")
    stage.line("sent when it came back", "\(number("sent").grouped) deltas, \(number("bytes_sent").grouped) bytes")
    stage.line(
      "received", "\(number("received").grouped) keys and the answers, \(number("bytes_received").grouped) bytes")
    ledger.check("cut off: has what the hub has", isTrue: traveller["equal"] == true, "equal")
    ledger.check("cut off: deltas refused", number("refused"), equals: 0)
    ledger.check("cut off: every write entered once", number("sent"), equals: number("increments") * 2)
  }

  private func check(
    _ books: [StateValue], _ traveller: StateValue, in swarm: HubSwarm, _ ledger: DemoLedger
  ) async throws {
    let increments = (books + [traveller]).reduce(0) { $0 + ($1["increments"]?.number ?? 0) }
    ledger.check(
      "counter: sum of all increments", try await swarm.state.read("demo/requests")?.value,
      equals: .int(Int64(increments)))
    let added = books.flatMap { $0["added"]?.arrayValue ?? [] }.sorted()
    let tasks = try await swarm.state.read("demo/tasks")?.value
    ledger.check("set: every element added", tasks?.arrayValue?.count ?? 0, equals: added.count)
    ledger.check("set: exactly those", isTrue: tasks == .array(added), tasks == .array(added) ? "equal" : "different")
    var (lostFields, lostRegisters) = (0, 0)
    let config = try await swarm.state.read("demo/config")?.value
    for book in books {
      guard let name = book["agent"]?.stringValue else { continue }
      if let field = book["field"], !field.isNull, config?[name] != field { lostFields += 1 }
      guard let own = book["own"], !own.isNull else { continue }
      if try await swarm.state.read("demo/status/\(name)")?.value != own { lostRegisters += 1 }
    }
    ledger.check("map: fields that are not their last write", lostFields, equals: 0)
    ledger.check("registers that are not their last write", lostRegisters, equals: 0)
    let offline = try await swarm.state.read("demo/offline")?.value
    ledger.check(
      "cut off: what it wrote is in the swarm", offline?.arrayValue?.count ?? 0,
      equals: traveller["increments"]?.number ?? -1)
  }
}

extension StateValue {
  /// A whole number for counting.
  fileprivate var number: Int? { if case .int(let number) = self { Int(number) } else { nil } }
}

extension Duration {
  fileprivate var tenths: Double { (seconds * 10).rounded() / 10 }
  fileprivate var milliseconds: Int { Int((seconds * 1_000).rounded()) }
}
