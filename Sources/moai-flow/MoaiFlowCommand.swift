import ArgumentParser
import Foundation

/// The command line. Each subcommand stands in a file of its own; a failure of any of them ends here, as one line on
/// standard error and an exit code.
@main
struct MoaiFlowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "moai-flow",
    abstract: "Shared state for swarms of agents, on a durable journal.",
    discussion: """
      A data folder holds swarms; a swarm holds keys, each a counter, set, map or register that many agents write at \
      once. Name the folder with --data or MOAI_FLOW_DATA.

      Example:
        export MOAI_FLOW_DATA=./swarm-data MOAI_FLOW_AGENT=alice
        moai-flow state incr requests 3
        moai-flow state add tasks '"task-7"'
        moai-flow state list --values

      Exit codes: 0 done; 1 the answer is no (not found, refused, conflict, damaged); 2 wrong usage or input; 3 the \
      engine failed (folder in use, read-only, damaged, full).
      """,
    subcommands: [
      Demo.self, DemoAgent.self, Serve.self, Token.self, Resolve.self, State.self, Memory.self, Swarms.self,
      Agents.self, Replicas.self, Log.self, Check.self, Skip.self,
      BackupCommand.self, RestoreCommand.self, Export.self, Import.self, Bench.self, HelloCommand.self, Crash.self,
      ChildWriter.self,
    ])

  static func main() async {
    do {
      try requireReadableArguments()
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      end(with: error)
    }
  }

  /// Swift mends what is no UTF-8 in the arguments; a key that was mended is another key.
  private static func requireReadableArguments() throws {
    for (index, argument) in UnsafeBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc)
    ).enumerated() {
      guard let argument, String(validatingCString: argument) != nil else {
        throw Failure(.usage, "argument \(index) is no valid UTF-8")
      }
    }
  }

  private static func end(with error: any Error) -> Never {
    if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
    if exitCode(for: error) == .success { exit(withError: error) }
    let failure = exitCode(for: error) == .validationFailure ? Failure(parsing: error) : Failure(error)
    Terminal.writeError("moai-flow: \(failure.message)")
    Foundation.exit(failure.status.rawValue)
  }
}

extension Failure {
  /// What is wrong with the command line itself, with the command whose help says more.
  fileprivate init(parsing error: any Error) {
    let help = MoaiFlowCommand.fullMessage(for: error)
      .split(separator: "\n").last { $0.contains("See '") }?
      .split(separator: "'").dropFirst().first
    var message = MoaiFlowCommand.message(for: error)
    if message.wholeMatch(of: /Unknown option '-[0-9].*/) != nil {
      message += "; a negative number goes last, after --"
    }
    self.init(.usage, message + (help.map { "; see '\($0)'" } ?? ""))
  }
}
