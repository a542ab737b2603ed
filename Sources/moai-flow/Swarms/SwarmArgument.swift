import ArgumentParser
import MoaiFlow

/// The name of a swarm as an argument.
struct SwarmArgument: ParsableArguments {
  @Argument(help: "The swarm.")
  var name: String

  func swarmName() throws(Failure) -> SwarmName {
    do { return try SwarmName(name) } catch { throw Failure(.usage, "NAME: \(error.problem)") }
  }
}

extension SwarmSettings {
  /// Reads settings from a file; `-` is standard input.
  init(file path: String) throws(Failure) {
    let file = InputFile(path: path)
    let json = try file.json()
    do { try self.init(json: json) } catch { throw Failure(.usage, "\(file.name): \(error)") }
  }
}
