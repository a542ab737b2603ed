import Foundation
import MoaiFlowClient

/// The demo's hub: a process of its own on a free port, that can be killed and comes back at the same address.
final class DemoHub {
  private let folder: String
  private var process: Process
  private(set) var port: Int
  /// Whether it outlives the demo.
  private var isKept = false

  init(folder: String) throws {
    self.folder = folder
    (process, port) = try DemoHub.start(folder, port: 0)
  }

  deinit {
    guard process.isRunning, !isKept else { return }
    kill(process.processIdentifier, SIGKILL)
  }

  var url: String { "http://127.0.0.1:\(port)" }
  var id: Int32 { process.processIdentifier }

  private static func start(_ folder: String, port: Int) throws -> (Process, Int) {
    let process = Process()
    process.executableURL = DemoProcess.executable
    process.arguments = ["serve", "--data", folder, "--port", "\(port)", "--log-level", "error"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) { line.append(byte) }
    let text = String(decoding: line, as: UTF8.self)
    guard let port = text.split(separator: ":").last.flatMap({ Int($0) }) else {
      process.terminate()
      throw DemoFailure("the hub did not start: it said \"\(text)\"")
    }
    return (process, port)
  }

  /// Kills it without warning.
  func killHard() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func restart() throws {
    (process, port) = try DemoHub.start(folder, port: port)
  }

  /// Ends it as an operator would; returns its exit code.
  func terminate() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationStatus
  }

  func keep() { isKept = true }
}

struct DemoFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
