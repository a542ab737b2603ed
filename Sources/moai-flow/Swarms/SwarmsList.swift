import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

struct SwarmsList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the swarms of a folder.",
    discussion: """
      In a pipe: name, head revision and epoch, separated by tabs.

      Example:
        moai-flow swarms list
        moai-flow swarms list --json
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let swarms = try await swarms()
    if output.json {
      let rows = swarms.map { swarm -> StateValue in
        [
          "swarm": .string(swarm.name.name), "revision": .int(swarm.revision),
          "epoch": StateValue(swarm.epoch.description),
        ]
      }
      return try output.write(["swarms": .array(rows), "next": .null])
    }
    var table = TextTable("SWARM", "REV", "EPOCH")
    for swarm in swarms { table.add([swarm.name.description, "\(swarm.revision)", swarm.epoch.description]) }
    try table.write()
  }

  private func swarms() async throws -> [(name: SwarmName, revision: Revision, epoch: Epoch)] {
    var swarms: [(name: SwarmName, revision: Revision, epoch: Epoch)] = []
    switch try await target.place() {
    case .hub(let hub):
      for name in try await hub.swarms() {
        let status = try await hub.swarm(name).status()
        swarms.append((name, status.revision, status.epoch))
      }
    case .folder(let folder):
      try await folder.reading { store in
        for name in try await store.swarms() {
          let journal = try await store.open(name)
          swarms.append((name, try await journal.head(), journal.epoch))
        }
      }
    }
    return swarms
  }
}
