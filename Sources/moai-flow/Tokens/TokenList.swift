import ArgumentParser
import MoaiCRDT
import MoaiFlow
import MoaiFlowClient
import MoaiFlowHub

struct TokenList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List tokens, without their secrets.",
    discussion: """
      Example:
        moai-flow token list --data swarm-data
      """)

  @OptionGroup var output: OutputOptions
  @OptionGroup var tokens: TokenFileOptions

  func run() async throws {
    let tokens: [StateValue] =
      switch try tokens.place() {
      case .hub(let hub): try await hub.tokens()
      case .file(let file): (try file.read() ?? []).sorted { $0.created < $1.created }.map(\.json)
      }
    if output.json { return try output.write(["tokens": .array(tokens)]) }
    var table = TextTable("ID", "ROLE", "SWARM", "AGENT", "COVERS", "ENDS", "NOTE")
    for token in tokens {
      func text(_ name: String, orElse absent: String) -> String { token[name]?.stringValue ?? absent }
      table.add([
        text("id", orElse: ""), text("role", orElse: ""), text("swarm", orElse: "*"), text("agent", orElse: "-"),
        text("covers", orElse: "-"), text("expires_at", orElse: "never"), text("note", orElse: ""),
      ])
    }
    try table.write()
  }
}
