import ArgumentParser
import MoaiFlow
import MoaiFlowClient
import MoaiFlowHub

struct Token: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say who may do what on a hub.",
    discussion: """
      Once a data folder has a token, its hub answers nobody without one. A hub that runs takes notice within a second.

      Example:
        moai-flow token create --role admin --data swarm-data
        moai-flow token create --role agent --as worker-1 --for research --data swarm-data
        moai-flow token list --data swarm-data
        moai-flow token revoke 3f2a… --data swarm-data
      """,
    subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self])
}

/// Where the tokens stand that a command is about.
struct TokenFileOptions: ParsableArguments {
  @Option(help: "The file of tokens (or MOAI_FLOW_AUTH; default: tokens.json in the data folder).", completion: .file())
  var auth: String?

  @OptionGroup(title: "Target") var target: TargetOptions

  /// Where the tokens are changed: in the file, unless a hub was named.
  func place() throws -> TokenPlace {
    if let path = TargetOptions.value(auth, or: "MOAI_FLOW_AUTH") { return .file(TokenFile(path: path)) }
    if let url = try target.hubURL() { return .hub(try target.client(of: url)) }
    let folder = DataFolder(path: try target.namedFolder())
    try folder.requireExistence()
    return .file(TokenFile(folder: folder.path))
  }
}

enum TokenPlace {
  case file(TokenFile)
  case hub(HubClient)
}
