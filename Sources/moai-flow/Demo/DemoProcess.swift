import Foundation
import MoaiCRDT
import MoaiFlow

/// One of the demo's agents: a process that does its part and prints what it knows, as JSON in one line.
final class DemoProcess {
  private let process = Process()
  private let output = Pipe()
  let name: String

  /// This program, wherever it was started from.
  static var executable: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }

  /// Starts this program as an agent.
  convenience init(_ name: String, _ arguments: [String]) throws {
    try self.init(name, DemoProcess.executable, ["demo-agent", "--as", name] + arguments, [:])
  }

  init(_ name: String, _ program: URL, _ arguments: [String], _ environment: [String: String]) throws {
    self.name = name
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = output
    try process.run()
  }

  deinit { stop() }

  func stop() {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }

  /// What it printed, once it has ended.
  func result() async throws -> StateValue {
    let (name, process, handle) = (name, process, output.fileHandleForReading)
    return try await Task.detached {
      let bytes = try handle.readToEnd() ?? Data()
      process.waitUntilExit()
      guard process.terminationStatus == 0, let json = try? JSONParser().parse(Array(bytes)) else {
        throw DemoFailure("\(name) ended with \(process.terminationStatus): \(String(decoding: bytes, as: UTF8.self))")
      }
      return json
    }.value
  }
}
