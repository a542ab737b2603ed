import ArgumentParser
import MoaiFlow

/// What an answer must have seen, for somebody who was told of a revision by another process.
struct FreshnessOptions: ParsableArguments {
  /// How often the journal is asked for news while a command waits.
  private static let interval = Duration.milliseconds(20)
  private static let longestWait = 24 * 60 * 60 * 1000

  @Option(help: "Wait until the swarm has this revision or cursor.")
  var atLeast: RevisionReference?

  @Option(help: "How long to wait for it, in milliseconds (default: 5000).")
  var waitMs: Int?

  func validate() throws {
    guard let waitMs else { return }
    guard atLeast != nil else { throw ValidationError("--wait-ms says how long to wait for --at-least; give both") }
    guard 0...FreshnessOptions.longestWait ~= waitMs else {
      throw ValidationError("--wait-ms is 0 to \(FreshnessOptions.longestWait)")
    }
  }

  /// Reads shared state of a swarm that another process may be writing.
  func reading<Result: Sendable>(
    _ swarm: any SwarmTarget, _ body: @escaping @Sendable (any StateAccess) async throws -> Result
  ) async throws -> Result {
    guard let atLeast else { return try await body(swarm.state) }
    let reader = swarm.state.atLeast(atLeast, within: .milliseconds(waitMs ?? 5_000))
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await body(reader) }
      group.addTask {
        while true {
          try await Task.sleep(for: FreshnessOptions.interval)
          try await swarm.refresh()
        }
      }
      defer { group.cancelAll() }
      while let answer = try await group.next() {
        if let answer { return answer }
      }
      preconditionFailure("one of the two tasks ends with an answer or an error")
    }
  }
}
