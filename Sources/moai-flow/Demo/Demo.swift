import ArgumentParser
import Foundation
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

/// `moai-flow demo`: the main job, live and checked.
struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch agents share state at once, and check that every write is there.",
    discussion: """
      Starts a hub on a free port, and agents as processes, one of them in Python where python3 is there. They write at \
      once; the hub is killed in the middle and comes back; one agent is cut off, writes on, and catches up; one does not \
      answer a full sync. At the end every total is compared with what the agents know they wrote: the exit code is 1 if \
      one is off.

      Example:
        moai-flow demo --agents 8 --seconds 5
      """)

  @Option(help: "Processes that write at once.")
  var agents = 6

  @Option(help: "Seconds that they write.")
  var seconds = 3.0

  @Flag(help: "Leave the hub running and say what to try on it.")
  var keep = false

  @Option(help: "The engine: sqlite.")
  var engine = "sqlite"

  func validate() throws {
    guard (2...64).contains(agents) else { throw ValidationError("--agents takes 2 to 64") }
    guard (0.5...600).contains(seconds) else { throw ValidationError("--seconds takes 0.5 to 600") }
    guard engine == "sqlite" else {
      throw ValidationError("--engine \(engine) is not available yet; the demo runs on sqlite")
    }
  }

  func run() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("moai-flow-demo-\(UInt32.random(in: .min ... .max))").path
    let stage = DemoStage()
    let start = ContinuousClock.now
    let ledger = DemoLedger()
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let hub = try DemoHub(folder: folder + "/swarm")
      stage.title("agents as processes, one hub, every total checked at the end", folder: folder)
      stage.note("hub \(hub.url)")
      try await DemoWriters(agents: agents, seconds: seconds, folder: folder).run(on: hub, stage, ledger)
      try await DemoUseCases().run(on: try HubClient(hub.url).swarm(), stage, ledger)
      try DemoStrategies().run(stage, ledger)
      try await DemoSync().run(on: hub, stage, ledger)
      try await audit(hub, folder + "/swarm", ledger)
      let isRight = ledger.report(on: stage, after: start.duration(to: .now))
      finish(hub, folder, stage)
      if !isRight { throw ExitCode.failure }
    } catch let exit as ExitCode {
      throw exit
    } catch {
      stage.failure("\(error)")
      throw ExitCode(3)
    }
  }

  /// The journal that the hub leaves behind, from its first entry to its last.
  private func audit(_ hub: DemoHub, _ folder: String, _ ledger: DemoLedger) async throws {
    ledger.check("hub: ended when told to, exit code", Int(hub.terminate()), equals: 0)
    let store = try await SQLiteStore(readingFrom: folder)
    let problems = await JournalAudit(of: try await store.open(.default)).problems
    try await store.close()
    ledger.check("journal: entries or checkpoints that are off", problems.count, equals: 0)
    if keep { try hub.restart() }
  }

  private func finish(_ hub: DemoHub, _ folder: String, _ stage: DemoStage) {
    guard keep else {
      try? FileManager.default.removeItem(atPath: folder)
      return
    }
    hub.keep()
    let state = "\(hub.url)/v1/swarms/default"
    stage.hints([
      "curl '\(state)/state?include=value&limit=5'",
      "curl \(state)/state/demo%2Flimits/explain",
      "curl -X POST \(state)/state/demo%2Frequests/ops -H 'Content-Type: application/json' \\",
      "  -d '{\"agent_id\": \"you\", \"ops\": [{\"op\": \"increment\", \"by\": 1}]}'",
      "curl -N '\(state)/changes?since=head' -H 'Accept: text/event-stream'",
      "moai-flow log --follow --hub \(hub.url)",
      "kill \(hub.id); rm -r \(folder)   # when you are done",
    ])
  }
}
