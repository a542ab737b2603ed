import ArgumentParser
import Foundation
import MoaiFlow
import MoaiFlowSQLite

/// `moai-flow demo`: the main job, live and checked.
struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch agents share state at once, and check that every write is there.",
    discussion: """
      Agents of this process write at once to one SQLite file in a new folder; one is away and catches up; one does not \
      answer; a child process is killed while it writes. At the end every total is compared with what the agents know \
      they wrote: the exit code is 1 if one is off.

      Example:
        moai-flow demo --agents 16 --seconds 3
      """)

  @Option(help: "Agents that write at once.")
  var agents = 16

  @Option(help: "Seconds that they write.")
  var seconds = 3.0

  @Flag(help: "Keep the folder and say what to try on it.")
  var keep = false

  @Option(help: "The engine: sqlite.")
  var engine = "sqlite"

  func validate() throws {
    guard (2...256).contains(agents) else { throw ValidationError("--agents takes 2 to 256") }
    guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds takes 0.1 to 600") }
    guard engine == "sqlite" else {
      throw ValidationError("--engine \(engine) is not available yet; the demo runs on sqlite")
    }
  }

  func run() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("moai-flow-demo-\(UInt32.random(in: .min ... .max))").path
    let stage = DemoStage()
    let start = ContinuousClock.now
    stage.title("\(agents) agents, one SQLite file, every total checked at the end", folder: folder)
    let ledger = DemoLedger()
    do {
      let store = try await SQLiteStore(folder: folder)
      let swarm = try await Swarm.open(in: store)
      try await DemoWriters(agents: agents, seconds: seconds).run(on: swarm, stage, ledger)
      try await DemoUseCases().run(on: swarm, stage, ledger)
      try DemoStrategies().run(stage, ledger)
      try await DemoSync().run(on: swarm, stage, ledger)
      try await swarm.close()
      try await store.close()
      stage.scene("A child process that writes is killed with SIGKILL, the folder reopened")
      let kill = KillRound(folder: folder, writers: agents, operations: 100_000, moment: .afterFirstWrite(0.7))
      let killed = try await kill.run()
      stage.line("acknowledged before the kill", "\(killed.acknowledged.grouped) writes")
      ledger.check(killed)
    } catch {
      stage.failure("\(error)")
      throw ExitCode(3)
    }
    let isRight = ledger.report(on: stage, after: start.duration(to: .now))
    finish(folder, stage)
    if !isRight { throw ExitCode.failure }
  }

  private func finish(_ folder: String, _ stage: DemoStage) {
    guard keep else {
      try? FileManager.default.removeItem(atPath: folder)
      return
    }
    stage.hints([
      "moai-flow state list --data \(folder)",
      "moai-flow state get demo/config --data \(folder)",
      "moai-flow log --limit 5 --data \(folder)",
      "moai-flow check --data \(folder)",
    ])
  }
}
