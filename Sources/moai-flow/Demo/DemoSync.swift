import MoaiCRDT
import MoaiFlow
import MoaiFlowClient

/// A full sync over sessions in which one of four agents does not answer.
struct DemoSync {
  /// How long the agents have to open their sessions.
  private static let patience = Duration.seconds(30)

  func run(on hub: DemoHub, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("A full sync: four processes are asked, one does not answer")
    let swarm = try HubClient(hub.url).swarm()
    let key = "demo/plan"
    try await swarm.join(as: "planner").state.set(key, to: ["step": "draft"], type: .map)
    let base = StateValue(try await swarm.state.read(key)?.cursor.description ?? "")
    let answers: [(String, StateValue?)] = [
      ("reader", [:]), ("editor", ["base": base, "value": ["step": "draft", "title": "Moai"]]),
      ("checker", ["base": base, "ops": [["op": "put", "field": "step", "value": "checked"]]]), ("silent", nil),
    ]
    let agents = try answers.map { name, answer in
      let given = answer.map { ["--answer", JSONWriter.text($0)] } ?? []
      return try DemoProcess(name, ["--part", "session", "--hub", hub.url] + given)
    }
    defer { for agent in agents { agent.stop() } }
    let start = ContinuousClock.now
    while try await synchronize("demo/roll-call", in: swarm, timeout: .seconds(2), quorum: 0).responders.count < 4 {
      guard start.duration(to: .now) < DemoSync.patience else { throw DemoFailure("the agents opened no sessions") }
    }
    let report = try await synchronize(key, in: swarm, timeout: .milliseconds(300), quorum: nil)
    stage.line("answered", report.responders.map(\.description).sorted().joined(separator: ", "))
    for (agent, reason) in report.missing { stage.line("missing", "\(agent): \(reason)") }
    stage.line("merged by the key's type", DemoLedger.text(report.result?.value))
    ledger.check("full sync: answers of 4, quorum 3", report.responders.count, equals: 3)
    ledger.check("full sync: merged", report.result?.value, equals: ["step": "checked", "title": "Moai"])
  }

  private func synchronize(
    _ key: String, in swarm: HubSwarm, timeout: Duration, quorum: Int?
  ) async throws -> SyncReport {
    try await swarm.state.synchronize(
      key, timeout: timeout, quorum: quorum, id: .random())
  }
}
