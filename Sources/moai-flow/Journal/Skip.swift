import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowSQLite

struct Skip: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Go on without an entry that cannot be read.",
    discussion: """
      A damaged entry stops its swarm. This puts an entry in its place that changes nothing and says why; everything \
      behind it stays. What the entry did is lost, acknowledged or not. Without --yes it only says what would be lost, \
      with exit code 1. Make a backup first.

      Example:
        moai-flow check
        moai-flow skip 17 --swarm research
        moai-flow skip 17 --swarm research --reason 'torn by a bad disk' --yes
      """)

  @Argument(help: "The revision of the entry, as 'moai-flow check' names it.")
  var revision: Int64

  @Option(help: "Why, for whoever reads the log later; needed with --yes.")
  var reason: String?

  @Flag(help: "Do it.")
  var yes = false

  @Flag(help: "Also an entry that is stored as it was written, but that this version cannot read.")
  var evenIfIntact = false

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func validate() throws {
    guard revision > 0 else { throw ValidationError("entries have revisions from 1 on") }
    if yes, (reason ?? "").isEmpty { throw ValidationError("--yes needs a --reason, which stays in the log") }
  }

  func run() async throws {
    let name = try target.swarmName()
    let folder = DataFolder(path: try target.folder())
    try folder.requireExistence()
    guard yes, let reason else {
      let loss = try await folder.reading { store in
        try await SkippedLoss(of: revision, in: try await store.open(name), evenIfIntact: evenIfIntact)
      }
      try write(loss, of: name, isSkipped: false)
      throw ExitCode(Failure.Status.no.rawValue)
    }
    let loss = try await folder.writing { store in
      try await SkippedLoss.skip(
        revision, in: try await store.open(name), because: reason, evenIfIntact: evenIfIntact, id: .random())
    }
    try write(loss, of: name, isSkipped: true)
  }

  private func write(_ loss: SkippedLoss, of name: SwarmName, isSkipped: Bool) throws(Failure) {
    if output.json { return try output.write(loss.json(swarm: name, isSkipped: isSkipped)) }
    for line in loss.lines { try Terminal.write(line) }
    if isSkipped {
      Terminal.note("entry \(revision) of \(name) is skipped; 'moai-flow check' says whether more is damaged")
      return
    }
    if let checkpoint = loss.checkpoints.last {
      Terminal.note(
        "the checkpoint at revision \(checkpoint) still has what the entry did: 'moai-flow swarms trim \(name)' gives up "
          + "the history and keeps the values")
    }
    Terminal.note("nothing was changed; add --reason and --yes to skip entry \(revision) of \(name)")
  }
}

extension SkippedLoss {
  /// For a person.
  fileprivate var lines: [String] {
    var lines = ["entry \(revision): \(problem)"]
    switch (payload, entry) {
    case (nil, _): lines.append("nothing of it is left")
    case (let payload?, nil): lines.append("its \(payload.count) bytes cannot be read")
    case (let payload?, let entry?):
      lines.append("its \(payload.count) bytes read as, which may be wrong: \(entry.author): \(entry.command.summary)")
    }
    if !checkpoints.isEmpty {
      lines.append("checkpoints that go with it: \(checkpoints.map(String.init).joined(separator: ", "))")
    }
    return lines
  }
}
