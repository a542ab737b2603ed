import ArgumentParser
import MoaiFlow

struct MemoryDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete the entry under a name.",
    discussion: """
      Exit code 1 if there is none.

      Example:
        moai-flow memory delete research question
      """)

  @OptionGroup var name: MemoryNameArguments
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let wasThere = try await target.writingMemory { memory in
      try await memory.delete(name.key, from: name.namespace)
    }
    guard wasThere else { throw Failure(.no, "\(name.namespace) \(name.key): there is no such entry") }
    Terminal.note("\(name.namespace) \(name.key): deleted")
  }
}
