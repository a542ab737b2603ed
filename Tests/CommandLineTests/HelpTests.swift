import Testing

@Suite("help")
struct HelpTests {
  static let commands: [[String]] = [
    ["state"], ["swarms"], ["log"], ["check"], ["export"], ["import"],
    ["replicas"], ["replicas", "list"], ["replicas", "refused"], ["replicas", "resolve"], ["replicas", "close"],
    ["skip"], ["backup"], ["restore"], ["memory"], ["memory", "store"], ["memory", "retrieve"], ["memory", "delete"],
    ["memory", "list"],
    ["memory", "clear"], ["memory", "stats"],
    ["state", "get"], ["state", "set"], ["state", "incr"], ["state", "add"], ["state", "remove"], ["state", "put"],
    ["state", "delete"], ["state", "list"], ["state", "watch"], ["state", "changes"], ["state", "sync"],
    ["state", "history"], ["state", "explain"], ["state", "rewind"],
    ["swarms", "create"], ["swarms", "list"], ["swarms", "show"], ["swarms", "settings"], ["swarms", "trim"],
    ["swarms", "delete"],
  ]

  @Test("every command has help with an example, within 80 columns", arguments: commands)
  func everyCommandHasAnExample(command: [String]) throws {
    let moai = MoaiFlowProcess(try TemporaryFolder())
    let answer = try moai.run(command + ["--help"])
    answer.expectSuccess()
    #expect(answer.output.contains("Example"))
    #expect(answer.output.contains("moai-flow " + command.joined(separator: " ")))
    let prose = answer.lines.filter { !$0.contains("moai-flow ") }
    #expect(prose.allSatisfy { $0.count <= 80 }, "\(prose.filter { $0.count > 80 })")
  }

  @Test("completions for every shell", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let moai = MoaiFlowProcess(try TemporaryFolder())
    let answer = try moai("--generate-completion-script", shell)
    answer.expectSuccess()
    #expect(answer.output.contains("incr"))
  }

  @Test("the root's help")
  func rootHelp() throws {
    let moai = MoaiFlowProcess(try TemporaryFolder())
    let answer = try moai("--help")
    answer.expectSuccess()
    #expect(answer.output == Self.root)
  }

  static let root = """
    OVERVIEW: Shared state for swarms of agents, on a durable journal.

    A data folder holds swarms; a swarm holds keys, each a counter, set, map or
    register that many agents write at once. Name the folder with --data or
    MOAI_FLOW_DATA.

    Example:
      export MOAI_FLOW_DATA=./swarm-data MOAI_FLOW_AGENT=alice
      moai-flow state incr requests 3
      moai-flow state add tasks '"task-7"'
      moai-flow state list --values

    Exit codes: 0 done; 1 the answer is no (not found, refused, conflict, damaged);
    2 wrong usage or input; 3 the engine failed (folder in use, read-only, damaged,
    full).

    USAGE: moai-flow <subcommand>

    OPTIONS:
      -h, --help              Show help information.

    SUBCOMMANDS:
      demo                    Watch agents share state at once, and check that
                              every write is there.
      serve                   Serve the swarms of a data folder over HTTP.
      token                   Say who may do what on a hub.
      resolve                 Make one version out of several of the same key.
      state                   Read, write and follow shared values.
      memory                  Store and retrieve named values in namespaces.
      swarms                  Create, list, configure, trim and delete swarms.
      agents                  List a swarm's agents and their health, register
                              them, and let them go.
      replicas                List a swarm's offline replicas, what was refused of
                              them, and close them.
      log                     Print the journal's entries: who asked for what, and
                              what became of it.
      check                   Verify a data folder.
      skip                    Go on without an entry that cannot be read.
      backup                  Copy all swarms of a data folder into one file.
      restore                 Make a data folder out of a backup.
      export                  Write a swarm's whole journal as text, a JSON
                              document a line.
      import                  Make a swarm from an export.
      bench                   Measure this machine on fixed work, and check that
                              the work came out right.

      See 'moai-flow help <subcommand>' for detailed help.

    """
}
