import ArgumentParser
import MoaiFlow

struct StateSet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Write a whole value.",
    discussion: """
      Over a set or map the value adds and puts; it removes only with --base, what was there at that revision and is \
      not in the value, or with --replace. Over a counter it needs --base, and means the difference, or --share.

      Example:
        moai-flow state set config '{"timeout": 30}' --type map
        moai-flow state set greeting hello --string
        moai-flow state set port -- -1
        generate | moai-flow state set report - --if-revision 0
      """)

  @Argument(help: "The key.")
  var key: String

  @Argument(help: "The value as JSON; - reads it from standard input.")
  var value: String

  @Flag(help: "The value is a text as it stands, not JSON.")
  var string = false

  @Option(help: "The type of a new key: counter, set, map, register (default: register).")
  var type: CRDTType?

  @Option(help: "The strategy of a new key: lww shows the last write, vector the others beside it.")
  var strategy: KeyStrategy?

  @Option(help: "The revision or cursor from which the value was computed.")
  var base: RevisionReference?

  @Option(help: "Write only if the key is at this revision; 0: if it is absent.")
  var ifRevision: RevisionReference?

  @Flag(help: "Remove what the value does not hold.")
  var replace = false

  @Flag(help: "Set this agent's share of a counter.")
  var share = false

  @OptionGroup var write: WriteOptions

  func validate() throws {
    guard !(share && (replace || string)) else { throw ValidationError("--share goes with an integer alone") }
  }

  func run() async throws {
    let value = try StateValue(argument: value, named: "VALUE", isText: string)
    try await write.write(key) { key in
      WriteRequest(
        key, try content(value), base: base, ifRevision: ifRevision, type: type, strategy: strategy)
    }
  }

  private func content(_ value: StateValue) throws(Failure) -> WriteRequest.Content {
    guard share else { return .value(value, replacing: replace) }
    guard let number = value.intValue else { throw Failure(.usage, "VALUE: a share is an integer") }
    return .share(number)
  }
}
