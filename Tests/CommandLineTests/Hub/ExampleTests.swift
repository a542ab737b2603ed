import Foundation
import MoaiFlow
import Testing

@Suite("the examples run")
struct ExampleTests {
  @Test("a worker in Swift and one in Python share a counter and a map through a hub")
  func workers() throws {
    let hub = try HubProcess()
    let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let swift = try MoaiFlowProcess.program().deletingLastPathComponent().appendingPathComponent("example-worker")
    let python = ["/usr/bin/env", "python3", "-B", root.appendingPathComponent("Examples/Python/worker.py").path]
    let environment = ["PYTHONPATH": root.appendingPathComponent("clients/python").path]
    // Without Python the second one is in Swift, too.
    let second =
      try Self.finish(try Self.start(["/usr/bin/env", "python3", "--version"])).status == 0 ? python : [swift.path]
    let url = "http://127.0.0.1:\(hub.port)"
    let workers = [
      try Self.start([swift.path, url, "ada", "40", "80"]),
      try Self.start(second + [url, "bob", "40", "80"], environment),
    ]
    for (worker, name) in zip(workers, ["ada", "bob"]) {
      let (status, output) = try Self.finish(worker)
      #expect(status == 0 && output == "\(name): 80 results\n", "\(output)")
    }
    #expect(try hub("GET", "state/done").json()["value"] == 80)
  }

  private static func start(_ command: [String], _ environment: [String: String] = [:]) throws -> (Process, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    DispatchQueue.global().asyncAfter(deadline: .now() + 60) { if process.isRunning { process.terminate() } }
    return (process, output)
  }

  private static func finish(_ running: (Process, Pipe)) throws -> (status: Int32, output: String) {
    let bytes = try running.1.fileHandleForReading.readToEnd() ?? Data()
    running.0.waitUntilExit()
    return (running.0.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }
}
