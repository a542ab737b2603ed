import ArgumentParser
import MoaiFlowHub

/// A plain Hummingbird server, for `bench hub`.
struct HelloCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-hello", abstract: "A server that says hello.", shouldDisplay: false)

  func run() async throws {
    try await HelloServer.run { port in try? Terminal.write("listening on http://127.0.0.1:\(port)") }
  }
}
