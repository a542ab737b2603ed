import ArgumentParser
import MoaiFlow

/// Whether a program or a person reads the answer.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON, for programs.")
  var json = false

  /// Prints one JSON document on one line.
  func write(_ json: StateValue) throws(Failure) {
    try Terminal.write(JSONWriter.text(json, style: .spaced))
  }
}
