import ArgumentParser
import MoaiFlow

struct MemoryStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Store a value under a name, in place of what stands there.",
    discussion: """
      Example:
        moai-flow memory store research question '"why is it slow?"'
        moai-flow memory store research notes/1 'plain text' --string
        summarize | moai-flow memory store research summary -
      """)

  @OptionGroup var name: MemoryNameArguments

  @Argument(help: "The value as JSON; - reads it from standard input.")
  var value: String

  @Flag(help: "The value is a text as it stands, not JSON.")
  var string = false

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func run() async throws {
    let value = try StateValue(argument: value, named: "VALUE", isText: string)
    let stored = try await target.writingMemory { memory in
      try await memory.store(value, as: name.key, in: name.namespace)
    }
    if let stored, output.json { try output.write(stored.json) }
  }
}
