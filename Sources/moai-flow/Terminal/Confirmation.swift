import ArgumentParser
import Foundation

/// `--yes`, or a question on a terminal, before something that cannot be undone.
struct Confirmation: ParsableArguments {
  @Flag(help: "Do not ask.")
  var yes = false

  /// - Parameter doing: what cannot be undone, as the beginning of a sentence ("deleting research").
  /// - Throws: ``Failure`` if there is nobody to ask.
  func isGiven(for question: String, doing: String) throws(Failure) -> Bool {
    if yes { return true }
    guard isatty(STDIN_FILENO) == 1, Terminal.isInteractive else {
      throw Failure(.usage, "\(doing) cannot be undone; add --yes")
    }
    print("\(question) [y/N] ", terminator: "")
    fflush(nil)
    return ["y", "yes"].contains(readLine()?.lowercased())
  }
}
