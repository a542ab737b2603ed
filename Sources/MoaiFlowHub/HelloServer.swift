import Hummingbird

/// The least that a Hummingbird server does: what a hub's speed is compared with, in one run.
public enum HelloServer {
  public static func run(whenListening: @escaping @Sendable (Int) async -> Void) async throws {
    let router = Router()
    router.get("/hello") { _, _ in "Hello" }
    let application = Application(
      router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in await whenListening(channel.localAddress?.port ?? 0) })
    try await application.runService()
  }
}
