import MoaiCRDT
import MoaiFlow

/// A full sync in which one of four agents does not answer.
struct DemoSync {
  func run(on swarm: Swarm, _ stage: DemoStage, _ ledger: DemoLedger) async throws {
    stage.scene("A full sync: four agents are asked, one does not answer")
    let key = "demo/plan"
    let author = try await swarm.join(as: "planner")
    try await author.state.set(key, to: ["step": "draft"], type: .map)
    let base = try await swarm.state.read(key)?.cursor
    let answers: [(String, SyncResponse)] = [
      ("reader", SyncResponse(base: nil, .nothing)),
      ("editor", SyncResponse(base: base.map { .cursor($0) }, .value(["step": "draft", "title": "Moai"]))),
      ("checker", SyncResponse(base: base.map { .cursor($0) }, .operations([.put(field: "step", "checked")]))),
    ]
    var members: [SwarmMember] = []
    for (name, response) in answers {
      let member = try await swarm.join(as: name)
      await member.listen { message in
        if case .stateRequest = message { .state(response) } else { nil }
      }
      members.append(member)
    }
    let silent = try await swarm.join(as: "silent")
    await silent.listen { _ in
      try await Task.sleep(for: .seconds(60))
      return nil
    }
    var generator = SystemRandomNumberGenerator()
    let report = try await swarm.state.synchronize(
      key, timeout: .milliseconds(300), id: CommandID(using: &generator))
    for member in members + [silent] { await member.stopListening() }

    stage.line("answered", report.responders.map(\.description).sorted().joined(separator: ", "))
    for (agent, reason) in report.missing { stage.line("missing", "\(agent): \(reason)") }
    stage.line("merged by the key's type", DemoLedger.text(report.result?.value))
    ledger.check("full sync: answers of 4, quorum 3", report.responders.count, equals: 3)
    ledger.check("full sync: merged", report.result?.value, equals: ["step": "checked", "title": "Moai"])
  }
}
