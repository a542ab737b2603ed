import ArgumentParser
import MoaiFlow

struct StateAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add an element to a set.",
    discussion: """
      Wins over a removal that had not seen it.

      Example:
        moai-flow state add tasks '"task-7"'
        moai-flow state add tasks task-7 --string
      """)

  @Argument(help: "The key.")
  var key: String

  @Argument(help: "The element as JSON; - reads it from standard input.")
  var element: String

  @Flag(help: "The element is a text as it stands, not JSON.")
  var string = false

  @OptionGroup var write: WriteOptions

  func run() async throws {
    let element = try StateValue(argument: element, named: "ELEMENT", isText: string)
    try await write.write(key) { WriteRequest($0, .operations([.add(element)])) }
  }
}

struct StateRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove an element from a set.",
    discussion: """
      With --base, what was added after that revision stays.

      Example:
        moai-flow state remove tasks '"task-7"'
        moai-flow state remove tasks task-7 --string --base 17
      """)

  @Argument(help: "The key.")
  var key: String

  @Argument(help: "The element as JSON; - reads it from standard input.")
  var element: String

  @Flag(help: "The element is a text as it stands, not JSON.")
  var string = false

  @Option(help: "The revision or cursor that you had seen (default: everything).")
  var base: RevisionReference?

  @OptionGroup var write: WriteOptions

  func run() async throws {
    let element = try StateValue(argument: element, named: "ELEMENT", isText: string)
    try await write.write(key) { WriteRequest($0, .operations([.remove(element)]), base: base) }
  }
}
