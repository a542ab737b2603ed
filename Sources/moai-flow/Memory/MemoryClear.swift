import ArgumentParser
import Foundation
import MoaiFlow

struct MemoryClear: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Delete every entry of a namespace.",
    discussion: """
      Asks first on a terminal; elsewhere it needs --yes.

      Example:
        moai-flow memory clear research --yes
      """)

  @Argument(help: "The namespace.")
  var namespace: String

  @Flag(help: "Do not ask.")
  var yes = false

  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    guard try isConfirmed() else { throw Failure(.no, "\(namespace) was not cleared") }
    let count = try await target.writingMemory { try await $0.clear(namespace) }
    Terminal.note("\(namespace): \(count) \(count == 1 ? "entry" : "entries") deleted")
  }

  private func isConfirmed() throws(Failure) -> Bool {
    if yes { return true }
    guard isatty(STDIN_FILENO) == 1, Terminal.isInteractive else {
      throw Failure(.usage, "clearing \(namespace) deletes all its entries; add --yes")
    }
    print("Delete every entry of \(namespace)? [y/N] ", terminator: "")
    fflush(nil)
    return ["y", "yes"].contains(readLine()?.lowercased())
  }
}
