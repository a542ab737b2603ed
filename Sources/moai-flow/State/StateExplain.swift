import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct StateExplain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say why a key's value is what it is.",
    discussion: """
      For each part of the value: who put it there, when, with which entry, what lost against it and by which rule. A \
      part can also be one that is not there any more. Exit code 1 if the key never was.

      Example:
        moai-flow state explain config
        moai-flow state explain config --field timeout
        moai-flow state explain tasks --element '"task-7"'
      """)

  @Argument(help: "The key.")
  var key: String

  @Option(help: "Only this field of a map.")
  var field: String?

  @Option(help: "Only this element of a set, as JSON.")
  var element: String?

  @Option(help: "Fields, elements or agents at most.")
  var limit = 20

  @OptionGroup var output: OutputOptions
  @OptionGroup(title: "Target") var target: TargetOptions

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit is at least 1") }
    if field != nil, element != nil { throw ValidationError("give --field or --element, not both") }
  }

  func run() async throws {
    var part = field.map { KeyExplanation.Part.field(UTF8String($0)) }
    if let element { part = .element(try StateValue(argument: element, named: "--element")) }
    let found = try await target.readingSwarm { try await $0.state.explain(key, part: part, limit: limit) }
    guard let found else { throw Failure(.no, "\(key): there never was such a key") }
    if output.json { return try output.write(found.json) }
    for line in ExplanationText(found, asking: part).lines(width: Terminal.width) { try Terminal.write(line) }
  }
}
