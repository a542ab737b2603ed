import ArgumentParser
import MoaiFlow

struct StateIncrement: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incr",
    abstract: "Add to a counter.",
    discussion: """
      Concurrent increments all count. A sum outside the 64-bit integers is refused.

      Example:
        moai-flow state incr requests
        moai-flow state incr requests 3
        moai-flow state incr requests --by -3
      """)

  @Argument(help: "The key.")
  var key: String

  @Argument(help: "How much; a negative number goes last, after --. (default: 1)")
  var amount: Int64?

  @Option(parsing: .unconditional, help: "The same as an option; takes a negative number as it is.")
  var by: Int64?

  @OptionGroup var write: WriteOptions

  func validate() throws {
    guard amount == nil || by == nil else { throw ValidationError("give the amount once: as AMOUNT or with --by") }
  }

  func run() async throws {
    try await write.write(key) { WriteRequest($0, .operations([.increment(amount ?? by ?? 1)])) }
  }
}
