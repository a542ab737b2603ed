import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct StateRewind: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewind",
    abstract: "Take back what an agent wrote, or what one entry wrote.",
    discussion: """
      What others wrote stays; what was overwritten or removed comes back. It is one more entry: rewinding that entry's \
      revision undoes it. All keys or none, unless --partial. Begin with --dry-run. Exit code 1 if there is nothing to \
      take back, or a key stops it.

      Example:
        moai-flow state rewind --agent agent-3 --since 120 --dry-run
        moai-flow state rewind --agent agent-3 --since 120 --keys 'config/*'
        moai-flow state rewind --revision 131
      """)

  @Option(help: "Whose writes to take back.")
  var agent: String?

  @Option(help: "Only what was written after this revision or cursor.")
  var since: RevisionReference?

  @Option(help: "Take back what this entry did; of a rewind: undo it.")
  var revision: RevisionReference?

  @Option(parsing: .upToNextOption, help: "Only keys that match one of these patterns; * matches anything.")
  var keys: [String] = []

  @Flag(help: "Leave out keys that cannot be rewound.")
  var partial = false

  @Flag(help: "Only say what it would do.")
  var dryRun = false

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: RewindPlace

  func validate() throws {
    guard (agent == nil) == (since == nil), (agent == nil) != (revision == nil) else {
      throw ValidationError("give --agent and --since together, or --revision alone")
    }
  }

  func run() async throws {
    let request = try request()
    let author = try target.options.agentName() ?? .operator
    let report = try await target.options.swarm(forWriting: !dryRun) { swarm in
      try await swarm.rewind(request, as: author, via: nil, id: nil, dryRun: dryRun)
    }
    if output.json {
      try output.write(report.json)
    } else {
      for line in RewindText(report, of: request, isDryRun: dryRun).lines(width: Terminal.width) {
        try Terminal.write(line)
      }
    }
    if report.revision == nil, report.isEmpty { throw Failure(.no, "there is nothing to take back") }
    if report.revision == nil, !report.blocked.isEmpty, !partial || report.changes.isEmpty && report.unchanged.isEmpty {
      let keys = report.blocked.count == 1 ? "1 key" : "\(report.blocked.count) keys"
      throw Failure(.no, "\(keys) cannot be rewound, so nothing is written; --partial leaves them out")
    }
  }

  private func request() throws(Failure) -> RewindRequest {
    let patterns = keys.map { GlobPattern($0) }
    if let revision { return RewindRequest(.revision(revision), keys: patterns, isPartial: partial) }
    guard let agent, let since else { throw Failure(.usage, "give --agent and --since") }
    let name: AgentID
    do { name = try AgentID(agent) } catch { throw Failure(.usage, "--agent: \(error.problem)") }
    return RewindRequest(.agent(name, since: since), keys: patterns, isPartial: partial)
  }
}

/// Where to rewind, and in whose name; `--agent` means somebody else here.
struct RewindPlace: ParsableArguments {
  @Option(help: "The data folder (or MOAI_FLOW_DATA).", completion: .directory)
  var data: String?

  @Option(help: "The swarm in it (or MOAI_FLOW_SWARM; default: default).")
  var swarm: String?

  @Option(help: "Who rewinds (or MOAI_FLOW_AGENT; default: operator).")
  var author: String?

  @Option(help: "A hub's URL, in place of a data folder (or MOAI_FLOW_HUB).")
  var hub: String?

  @Option(help: "The token for a hub (or MOAI_FLOW_TOKEN).")
  var token: String?

  var options: TargetOptions {
    var options = TargetOptions()
    options.data = data
    options.swarm = swarm
    options.agent = author
    options.hub = hub
    options.token = token
    return options
  }
}

extension TargetOptions {
  fileprivate func swarm<Result>(
    forWriting isWriting: Bool, _ body: (any SwarmTarget) async throws -> Result
  ) async throws -> Result {
    isWriting ? try await writingSwarm(nil, body) : try await readingSwarm(nil, body)
  }
}
