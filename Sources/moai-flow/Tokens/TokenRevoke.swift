import ArgumentParser
import MoaiFlow
import MoaiFlowClient
import MoaiFlowHub

struct TokenRevoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "End a token; a hub that runs ends its streams within a second.",
    discussion: """
      Example:
        moai-flow token revoke 3f2a9c0d11b2e4f7 --data swarm-data
      """)

  @Argument(help: "Its id, as 'token list' names it.")
  var id: String

  @OptionGroup var tokens: TokenFileOptions

  func run() async throws {
    guard let token = TokenID(id) else {
      throw Failure(.usage, "\(id) is no id of a token; it has sixteen hexadecimal digits")
    }
    let wasThere =
      switch try tokens.place() {
      case .hub(let hub): try await hub.revokeToken(id)
      case .file(let file): try file.revoke(token)
      }
    guard wasThere else {
      throw Failure(.no, "there is no token \(token); 'moai-flow token list' names those that are")
    }
    try Terminal.write("revoked \(token)")
  }
}
