import ArgumentParser
import MoaiCRDT
import MoaiFlow

struct StateDelete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Delete a key with everything in it.",
    discussion: """
      Exit code 1 if there is no such key.

      Example:
        moai-flow state delete report
        moai-flow state delete report --if-revision 17
      """)

  @Argument(help: "The key.")
  var key: String

  @Option(help: "Delete only if the key is at this revision.")
  var ifRevision: RevisionReference?

  @OptionGroup var write: WriteOptions

  func run() async throws {
    let (outcome, result, after) = try await write.perform(key) { key in
      WriteRequest(key, .delete, ifRevision: ifRevision)
    }
    guard result.changed else { throw Failure(.no, "\(key): there is no such key") }
    guard write.output.json else { return Terminal.note("\(key): deleted at revision \(outcome.revision)") }
    try write.output.write(["revision": .int(outcome.revision), "cursor": StateValue(after.cursor.description)])
  }
}
