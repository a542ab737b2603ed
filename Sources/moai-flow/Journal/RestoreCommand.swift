import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a data folder out of a backup.",
    discussion: """
      The folder must hold no swarms yet: nothing is overwritten. Every swarm keeps its values, revisions and history and \
      gets a new epoch, because the original may have used later revisions for other entries: cursors and bases from \
      before are recognised, and whoever holds one gets a snapshot or is told to read again.

      Example:
        moai-flow restore /backups/monday.sqlite --data ./swarm-data-2
      """)

  private struct Restored {
    let name: SwarmName
    let revision: Revision
    let epoch: Epoch
  }

  @Argument(help: "The backup: a file, or the folder that holds it.", completion: .file())
  var backup: String

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let folder = try target.folder()
    guard InputFile(path: backup).exists else { throw Failure(.usage, "\(backup) does not exist") }
    try await SQLiteStore.restore(backup: backup, to: folder)
    let restored = try await DataFolder(path: folder).reading { store in
      var restored: [Restored] = []
      for name in try await store.swarms() {
        let journal = try await store.open(name)
        restored.append(Restored(name: name, revision: try await journal.head(), epoch: journal.epoch))
      }
      return restored
    }
    if output.json {
      var fields = WireFields()
      fields.add("folder", text: folder)
      fields.add(
        "swarms",
        .array(
          restored.map { swarm in
            var fields = WireFields()
            fields.add("swarm", .string(swarm.name.name))
            fields.add("revision", integer: swarm.revision)
            fields.add("epoch", text: swarm.epoch.description)
            return fields.json
          }))
      return try output.write(fields.json)
    }
    var table = TextTable("SWARM", "REV", "EPOCH")
    for swarm in restored { table.add([swarm.name.description, "\(swarm.revision)", swarm.epoch.description]) }
    try table.write()
    let count = restored.count == 1 ? "1 swarm" : "\(restored.count) swarms"
    Terminal.note("restored \(count) into \(folder) under new epochs; whoever has an older cursor gets a snapshot")
  }
}
