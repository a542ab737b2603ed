import ArgumentParser
import MoaiCRDT
import MoaiFlow
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
    let tokens = (try tokens.file().read() ?? []).sorted { $0.created < $1.created }
    if output.json { return try output.write(["tokens": .array(tokens.map(\.json))]) }
    var table = TextTable("ID", "ROLE", "SWARM", "AGENT", "COVERS", "ENDS", "NOTE")
    for token in tokens {
      table.add([
        token.id.description, token.role.rawValue, token.swarm?.description ?? "*", token.agent?.description ?? "-",
        token.covers?.text.string ?? "-", token.expires?.rfc3339 ?? "never", token.note ?? "",
      ])
    }
    try table.write()
  }
}
