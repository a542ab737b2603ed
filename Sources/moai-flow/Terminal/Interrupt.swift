import Dispatch
import Foundation

/// Runs work that has no end of its own until it ends or the user interrupts it; an interrupt is a clean end.
func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
  let work = Task { try await body() }
  let sources = [SIGINT, SIGTERM].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler { work.cancel() }
    source.resume()
    return source
  }
  defer { for source in sources { source.cancel() } }
  do {
    try await work.value
  } catch is CancellationError {
    return
  }
}
