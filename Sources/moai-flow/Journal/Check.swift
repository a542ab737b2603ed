import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify a data folder.",
    discussion: """
      Reads everything and writes nothing: SQLite's own check of the file; every entry's checksum; every entry decoded \
      and applied from the first on; and the newest checkpoint compared with the replay, chain hash and records. Checks \
      all swarms unless --swarm names one. Exit code 1 if something is damaged; it then says what can be done.

      Example:
        moai-flow check --data ./swarm-data
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let folder = DataFolder(path: try target.folder())
    let only = target.swarm == nil ? nil : try target.swarmName()
    var report = FolderReport()
    do {
      report = try await folder.reading { try await inspect($0, only: only) }
    } catch let error as JournalError {
      guard error.isDamage else { throw error }
      report.file.append("\(error)")
    }
    try write(report)
    if !report.problems.isEmpty { throw ExitCode(Failure.Status.no.rawValue) }
  }

  private func inspect(_ store: SQLiteStore, only: SwarmName?) async throws -> FolderReport {
    var report = FolderReport()
    do {
      report.file = try await store.integrityProblems()
    } catch {
      report.file = ["\(error)"]
    }
    let names: [SwarmName]
    do {
      names = try await store.swarms()
    } catch {
      report.file.append("\(error)")
      return report
    }
    if let only, !names.contains(only) { throw JournalError.noSuchSwarm(only) }
    for name in names where only == nil || name == only {
      do {
        report.swarms.append(.init(name: name, audit: .success(await JournalAudit(of: try await store.open(name)))))
      } catch {
        report.swarms.append(.init(name: name, audit: .failure(error)))
      }
    }
    return report
  }

  private func write(_ report: FolderReport) throws(Failure) {
    if output.json { return try output.write(report.json) }
    var table = TextTable("SWARM", "REV", "KEYS", "CHECKPOINT", "CHAIN", "STATE")
    for swarm in report.swarms {
      let state = swarm.problems.isEmpty ? "ok" : "damaged"
      guard case .success(let audit) = swarm.audit else {
        table.add([swarm.name.description, "-", "-", "-", "-", state])
        continue
      }
      table.add([
        swarm.name.description, "\(audit.revision)", "\(audit.keys)", audit.checkpoint.map { "\($0)" } ?? "-",
        Epoch(audit.chain).description, state,
      ])
    }
    try table.write()
    for problem in report.problems { Terminal.writeError("moai-flow: \(problem)") }
    for advice in report.advice { Terminal.note(advice) }
  }
}
