import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import MoaiFlowSQLite

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy all swarms of a data folder into one file.",
    discussion: """
      Works beside a process that holds the folder, while agents write: everything that was acknowledged before is in \
      the copy. The file appears when it is whole, and replaces nothing. A name that ends in / is a folder. To go on \
      from it, see restore.

      Example:
        moai-flow backup /backups/monday.sqlite --data ./swarm-data
      """)

  @Argument(help: "The new file.", completion: .file())
  var file: String

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    guard !file.isEmpty else { throw Failure(.usage, "FILE is empty; name a file") }
    switch try await target.place() {
    case .hub(let hub):
      let bytes = try await hub.backup(to: file)
      if output.json { return try output.write(["file": StateValue(file), "bytes": .int(bytes)]) }
      Terminal.note("saved the swarms of the hub as \(file), \(bytes) bytes")
    case .folder(let folder): try write(try await folder.reading { try await $0.backup(to: file) })
    }
  }

  private func write(_ backup: SQLiteBackup) throws {
    let swarms = backup.swarms.sorted { $0.key < $1.key }
    if output.json {
      var fields = WireFields()
      fields.add("file", text: backup.path)
      fields.add("bytes", integer: backup.bytes)
      fields.add(
        "swarms",
        .array(
          swarms.map { name, revision in
            var fields = WireFields()
            fields.add("swarm", .string(name.name))
            fields.add("revision", integer: revision)
            return fields.json
          }))
      return try output.write(fields.json)
    }
    var table = TextTable("SWARM", "REV")
    for (name, revision) in swarms { table.add([name.description, "\(revision)"]) }
    try table.write()
    Terminal.note(
      "saved \(swarms.count == 1 ? "1 swarm" : "\(swarms.count) swarms") as \(backup.path), \(backup.bytes) bytes")
  }
}
