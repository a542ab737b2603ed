import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct StatePut: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put",
    abstract: "Put or remove one field of a map.",
    discussion: """
      The other fields are not touched.

      Example:
        moai-flow state put config timeout 60
        moai-flow state put config timeout --remove
      """)

  @Argument(help: "The key.")
  var key: String

  @Argument(help: "The field.")
  var field: String

  @Argument(help: "The field's value as JSON; - reads it from standard input.")
  var value: String?

  @Flag(help: "Remove the field.")
  var remove = false

  @Flag(help: "The value is a text as it stands, not JSON.")
  var string = false

  @Option(help: "The revision or cursor that you had seen (default: everything).")
  var base: RevisionReference?

  @OptionGroup var write: WriteOptions

  func validate() throws {
    guard (value == nil) == remove else { throw ValidationError("give a value, or --remove without one") }
  }

  func run() async throws {
    var operation = StateOperation.removeField(UTF8String(field))
    if let value {
      let value = try StateValue(argument: value, named: "VALUE", isText: string)
      operation = .put(field: UTF8String(field), value)
    }
    try await write.write(key) { WriteRequest($0, .operations([operation]), base: base) }
  }
}
